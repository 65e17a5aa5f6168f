// `npm start`: builds the library, then the demo against it, and serves the demo.
//
// The demo imports `nestjs-session-kit` by name. That works without installing anything, because
// Node and TypeScript resolve a package's own name through its `exports`, given the build exists.
//
//   node tools/start.mjs --build-only   builds the demo against the present build and stops
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { root, runNode, tsc } from './lib.mjs';

const buildOnly = process.argv.includes('--build-only');

if (!buildOnly) runNode([join(root, 'tools/build.mjs')]);
rmSync(join(root, 'demo/dist'), { recursive: true, force: true });
runNode([tsc, '-p', 'demo/tsconfig.json', '--rootDir', 'demo/src', '--outDir', 'demo/dist']);
if (!buildOnly) serve();

function serve() {
  const args = ['--enable-source-maps', join(root, 'demo/dist/main.js')];
  const demo = spawn(process.execPath, args, { cwd: root, stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => demo.kill(signal));
  demo.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}
