// Packs the package and uses the archive as an application would: with nothing but the required
// peers beside it, from ES modules, from CommonJS and through a bundler.
//
// The bleed check is the point of the subpaths: who imports the root must not need the driver of a
// store that is not in use, and must not ship it.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { capture, conclude, entries, manifest, root } from './lib.mjs';

const OPTIONAL = ['ioredis', 'pg', 'mongodb', 'passport', 'prom-client', 'express-session'];
const SHIPPED = ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'dist/cjs/package.json'];

const work = mkdtempSync(join(tmpdir(), 'package-'));
const problems = [];
try {
  const archive = pack();
  install(archive);
  for (const entry of entries) useFromNode(entry);
  await bundle();
  runTool('publint/src/cli.js', ['run', archive, '--strict']);
  runTool('@arethetypeswrong/cli/dist/index.js', [archive, '--format', 'ascii', '--no-emoji']);
} finally {
  rmSync(work, { recursive: true });
}
conclude('package', problems, 'works when installed, with the required peers alone');

function pack() {
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', work];
  const { ok, stdout, output } = capture('npm', args);
  if (!ok) throw new Error(output);
  const [{ filename, files }] = JSON.parse(stdout);
  const paths = files.map((file) => file.path);
  for (const path of SHIPPED) if (!paths.includes(path)) problems.push(`${path} is not packed`);
  for (const path of paths) {
    if (!SHIPPED.includes(path) && !/^(dist|src)\//.test(path)) problems.push(`${path} is packed`);
  }
  return join(work, filename);
}

/** What `npm install` would do, without a registry. */
function install(archive) {
  const modules = join(work, 'node_modules');
  const target = join(modules, manifest.name);
  mkdirSync(target, { recursive: true });
  capture('tar', ['-xzf', archive, '-C', target, '--strip-components=1']);
  const present = { ...manifest.dependencies, ...manifest.peerDependencies };
  for (const name of Object.keys(present)) {
    if (manifest.peerDependenciesMeta?.[name]?.optional) continue;
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), join(modules, name));
  }
}

function useFromNode({ specifier, targets }) {
  const loaded = `if (Object.keys(m).length === 0) throw new Error('nothing is exported')`;
  const commonJs = join('./node_modules', manifest.name, targets.require.default);
  const scripts = {
    'esm.mjs': `import 'reflect-metadata'; import * as m from '${specifier}'; ${loaded}`,
    'require.cjs': `require('reflect-metadata'); const m = require('${specifier}'); ${loaded}`,
    'format.cjs': `require('reflect-metadata'); const m = require('./${commonJs}'); ${loaded}`,
  };
  for (const [file, source] of Object.entries(scripts)) {
    writeFileSync(join(work, file), source);
    const { ok, output } = capture(process.execPath, [file], { cwd: work });
    if (!ok) problems.push(`${specifier} fails in ${file}:\n${output}`);
  }
}

async function bundle() {
  writeFileSync(join(work, 'app.mjs'), `export * from '${manifest.name}';`);
  const { metafile, errors } = await build({
    absWorkingDir: work,
    entryPoints: ['app.mjs'],
    outfile: 'bundle.cjs',
    bundle: true,
    platform: 'node',
    format: 'cjs',
    external: Object.keys(manifest.peerDependencies),
    metafile: true,
    logLevel: 'silent',
  }).catch((error) => ({ errors: error.errors ?? [error] }));
  for (const { text } of errors) problems.push(`bundling the root: ${text}`);
  if (!metafile) return;
  const inputs = Object.keys(metafile.inputs);
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports);
  const names = [...inputs, ...imports.map(({ path }) => `node_modules/${path}`)];
  for (const name of OPTIONAL) {
    if (names.some((path) => `${path}/`.includes(`node_modules/${name}/`))) {
      problems.push(`the bundle of the root contains ${name}`);
    }
  }
  const { ok, output } = capture(process.execPath, ['bundle.cjs'], { cwd: work });
  if (!ok) problems.push(`the bundle of the root does not run:\n${output}`);
}

function runTool(script, args) {
  const { ok, output } = capture(process.execPath, [join(root, 'node_modules', script), ...args]);
  if (!ok) problems.push(`${script.split('/dist/')[0]} reports:\n${output}`);
}
