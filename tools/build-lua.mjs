// Makes src/stores/redis/scripts.gen.ts of the Lua files next to it: a bundler cannot find files
// that are read at run time, so the scripts have to be part of the program.
//
//   node tools/build-lua.mjs            writes the module
//   node tools/build-lua.mjs --check    fails if it is not what the Lua files say
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { conclude, root } from './lib.mjs';

const folder = join(root, 'src/stores/redis/lua');
const target = join(root, 'src/stores/redis/scripts.gen.ts');
const problems = [];

const names = readdirSync(folder)
  .filter((file) => file.endsWith('.lua') && !file.startsWith('_'))
  .map((file) => file.slice(0, -'.lua'.length))
  .sort();
const scripts = names.map(build);
const text = moduleOf(scripts);

if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== text) {
    problems.push('scripts.gen.ts is not what the Lua files say: run node tools/build-lua.mjs');
  }
  conclude('lua', problems, `${scripts.length} scripts`);
} else {
  conclude('lua', problems, `${scripts.length} scripts written`);
  writeFileSync(target, text);
}

function build(name) {
  const source = readFileSync(join(folder, `${name}.lua`), 'utf8');
  const [shebang, header] = splitHeader(name, source);
  const body = stripComments(include(name, source.slice(shebang.length), new Set()));
  const documentedKeys = documented(header, 'KEYS');
  compare(name, 'KEYS', documentedKeys, body);
  compare(name, 'ARGV', documented(header, 'ARGV'), body);
  if (!/^Returns /m.test(header)) problems.push(`${name}.lua: the header has no "Returns"`);
  const lua = `${shebang}\n${body}\n`;
  const sha1 = createHash('sha1').update(lua).digest('hex');
  return { name, keys: documentedKeys.open ? 'variable' : documentedKeys.last, sha1, lua };
}

function splitHeader(name, source) {
  const match = /^(#!lua\b[^\n]*)\n--\[\[\n([\s\S]*?)\n\]\]\n/.exec(source);
  if (match) return [match[1], match[2]];
  problems.push(`${name}.lua: must begin with #!lua and a header`);
  return ['', ''];
}

/** Replaces `--@include "name"` by the fragment, each once for a script. */
function include(name, source, seen) {
  return source.replace(/^[ \t]*--@include "([\w-]+)"$/gm, (_line, fragment) => {
    if (seen.has(fragment)) problems.push(`${name}.lua: includes ${fragment} twice`);
    seen.add(fragment);
    return include(name, readFileSync(join(folder, `_${fragment}.lua`), 'utf8'), seen);
  });
}

/** Drops comments, indentation and empty lines; texts in quotes stay as they are. */
function stripComments(source) {
  return source
    .replace(
      /("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|--\[\[[\s\S]*?\]\]|--[^\n]*/g,
      (_match, quoted) => quoted ?? '',
    )
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join('\n');
}

/** Numbers that the header names; `KEYS[3…]` and `KEYS[3…5]` say that there may be more. */
function documented(header, what) {
  const found = [...header.matchAll(new RegExp(`^${what}\\[(\\d+)(…(\\d*))?\\] `, 'gm'))];
  const numbers = found.map((match) => Number(match[1]));
  numbers.forEach((number, index) => {
    if (number !== index + 1) problems.push(`the header names ${what}[${number}] out of order`);
  });
  const open = found.at(-1)?.[2] !== undefined;
  return { last: numbers.length, open, upTo: Number(found.at(-1)?.[3] || Infinity) };
}

/** What is documented and what is used have to agree. */
function compare(name, what, { last, open, upTo }, body) {
  const used = new Set(
    [...body.matchAll(new RegExp(`\\b${what}\\[(\\d+)\\]`, 'g'))].map((match) => Number(match[1])),
  );
  const isComputed = new RegExp(`#${what}\\b|\\b${what}\\[[^\\d\\]]`).test(body);
  const most = Math.max(0, ...used);
  if (most > (open ? upTo : last)) problems.push(`${name}.lua: ${what}[${most}] is not documented`);
  if (isComputed && !open) problems.push(`${name}.lua: uses more ${what} than documented`);
  if (open && !isComputed && most < last) {
    problems.push(`${name}.lua: documents more ${what} than it uses`);
  }
  for (let number = 1; number <= (open ? last - 1 : last); number++) {
    // A clock is asked where its key is; the key itself is not looked at.
    const isUnused = !used.has(number) && !isComputed;
    if (isUnused && name !== 'clock') problems.push(`${name}.lua: ${what}[${number}] is not used`);
  }
}

function moduleOf(all) {
  const lines = all.map(
    ({ name, keys, sha1, lua }) =>
      `  ${JSON.stringify(name)}: {\n    keys: ${JSON.stringify(keys)},\n    sha1: '${sha1}',\n` +
      `    text: ${JSON.stringify(lua)},\n  },`,
  );
  return [
    '// Made by tools/build-lua.mjs of the files in lua/. Do not edit.',
    '',
    '/** A script as it is sent to the server. */',
    'export interface RedisScript {',
    '  /** How many keys it takes. */',
    "  readonly keys: number | 'variable';",
    '  readonly sha1: string;',
    '  readonly text: string;',
    '}',
    '',
    `export type ScriptName =\n${all.map(({ name }) => `  | '${name}'`).join('\n')};`,
    '',
    'export const SCRIPTS: Readonly<Record<ScriptName, RedisScript>> = Object.freeze({',
    ...lines,
    '});',
    '',
  ].join('\n');
}
