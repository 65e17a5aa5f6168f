// Checks that package.json and the build tell the same story: every target exists, every entry
// file is reachable, and both formats of an entry offer the same names.
//
// The main point is identity. Dependency injection goes by class, so a CommonJS helper library and
// an ES module application in one process must get the very same classes.
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { entries, conclude, manifest, root } from './lib.mjs';

const require = createRequire(join(root, 'package.json'));
const problems = [...findMissingTargets(), ...findUnexportedEntries()];
if (problems.length === 0) {
  for (const entry of entries) problems.push(...(await compareFormats(entry)));
}
conclude('exports', problems, `${entries.length} entry points, same classes in both formats`);

function findMissingTargets() {
  const targets = [manifest.main, manifest.types];
  collect(manifest.exports, targets);
  collect(manifest.typesVersions, targets);
  return [...new Set(targets)]
    .filter((target) => !existsSync(join(root, target)))
    .map((target) => `package.json names ${target}, which does not exist`);
}

function collect(value, into) {
  if (typeof value === 'string') into.push(value);
  else for (const part of Object.values(value)) collect(part, into);
}

/** A file called index is an entry point; one that nobody can import was forgotten. */
function findUnexportedEntries() {
  const exported = [];
  collect(manifest.exports, exported);
  return ['dist/esm', 'dist/cjs']
    .flatMap((folder) => readdirSync(join(root, folder), { recursive: true, withFileTypes: true }))
    .filter((file) => file.name === 'index.js')
    .map((file) => `./${relative(root, join(file.parentPath, file.name))}`)
    .filter((file) => !exported.includes(file))
    .map((file) => `${file} is built but not exported`);
}

async function compareFormats({ specifier, targets }) {
  const imported = await import(specifier);
  const required = require(specifier);
  // No condition leads Node here any more, but Jest without require(esm) and bundlers take it.
  const commonJs = require(join(root, targets.require.default));
  const names = Object.keys(imported);
  const found = [];
  if (names.length === 0) found.push(`${specifier} exports nothing`);
  for (const name of names) {
    if (required[name] !== imported[name])
      found.push(`${specifier}: require() gives another ${name}`);
  }
  const missing = names.filter((name) => !(name in commonJs));
  const extra = Object.keys(commonJs).filter((name) => !names.includes(name));
  for (const name of [...missing, ...extra]) {
    found.push(`${specifier}: ${name} is in one of the two formats only`);
  }
  return found;
}
