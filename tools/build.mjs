// Builds the library into dist: ES modules for everybody, and CommonJS beside them because the
// default Jest set-up of Nest 11 applications cannot load ES modules.
//
// Both are compiled from the same sources. Node ≥ 20.19 takes the ES modules for require() as
// well (condition "module-sync" in package.json), so a process never holds two copies.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, runNode, tsc } from './lib.mjs';

rmSync(join(root, 'dist'), { recursive: true, force: true });
runNode([tsc, '-p', 'tsconfig.build.json']);
runNode([tsc, '-p', 'tsconfig.cjs.json']);
writeFileSync(join(root, 'dist/cjs/package.json'), '{ "type": "commonjs" }\n');
