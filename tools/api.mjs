// Keeps a report of the public API of each entry point in etc/, so that a change of what users can
// see is a visible diff in review and never an accident.
//
//   npm run api         writes the reports anew from dist
//   npm run check:api   fails if they differ from dist
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor';
import { conclude, entries, root } from './lib.mjs';

const update = process.argv.includes('--update');
const reportFolder = join(root, 'etc');
const reportTempFolder = join(root, 'node_modules/.cache/api-extractor');
const problems = entries.flatMap(extract);
conclude('api', problems, `${entries.length} reports ${update ? 'written' : 'match the build'}`);

function extract({ name, targets }) {
  const found = [];
  mkdirSync(reportTempFolder, { recursive: true });
  mkdirSync(reportFolder, { recursive: true });
  const config = ExtractorConfig.prepare({
    packageJsonFullPath: join(root, 'package.json'),
    configObjectFullPath: undefined,
    configObject: {
      projectFolder: root,
      mainEntryPointFilePath: join(root, targets.import.types),
      compiler: { tsconfigFilePath: join(root, 'tsconfig.build.json') },
      apiReport: { enabled: true, reportFileName: name, reportFolder, reportTempFolder },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      newlineKind: 'lf',
      messages: {
        compilerMessageReporting: { default: { logLevel: 'error' } },
        extractorMessageReporting: {
          default: { logLevel: 'error' },
          'ae-missing-release-tag': { logLevel: 'none' },
          // The report marks such members; that is enough.
          'ae-undocumented': { logLevel: 'none' },
          // Types that a signature mentions and nobody has to name: in the report, for review.
          'ae-forgotten-export': { logLevel: 'warning', addToApiReportFile: true },
        },
        tsdocMessageReporting: { default: { logLevel: 'none' } },
      },
    },
  });
  const { apiReportChanged } = Extractor.invoke(config, {
    localBuild: update,
    messageCallback(message) {
      message.handled = true;
      if (message.logLevel !== ExtractorLogLevel.Error) return;
      found.push(message.formatMessageWithLocation(root));
    },
  });
  if (apiReportChanged && !update) {
    found.push(`the API of ${name} differs from etc/${name}.api.md: see "npm run api"`);
  }
  return found;
}
