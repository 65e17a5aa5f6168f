// Keeps the documentation true: each ```ts block of the README and of docs/ must be formatted and
// compile against the build as a user's file would, each ```ts run block must also run to its end,
// and links between the documents must lead somewhere.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import * as prettier from 'prettier';
import { capture, conclude, root, tsc } from './lib.mjs';

const FENCE = /^([ \t]*)(`{3,}|~{3,})([^\n]*)\n([\s\S]*?)^[ \t]*\2[ \t]*$/gm;
// Inside the project, so that the blocks can import the package by its own name.
const work = resolve(root, process.env.BUILD_DIR || 'build', 'docs');
const inDocs = existsSync(join(root, 'docs'))
  ? readdirSync(join(root, 'docs'), { recursive: true })
  : [];
const documents = [...readdirSync(root), ...inDocs.map((path) => join('docs', path))].filter(
  (path) => path.endsWith('.md'),
);
const texts = new Map(documents.map((path) => [path, readFileSync(join(root, path), 'utf8')]));
const blocks = [...texts].flatMap(([path, text]) => findBlocks(path, text));
const problems = [...texts].flatMap(([path, text]) => findDeadLinks(path, text));
for (const block of blocks) problems.push(...(await checkFormat(block)));
problems.push(...compile());
if (problems.length === 0) for (const block of blocks) problems.push(...run(block));
conclude('docs', problems, `${documents.length} documents, ${blocks.length} code blocks`);

/** The TypeScript blocks of a document, each with the line where its code begins. */
function findBlocks(path, text) {
  const found = [];
  for (const { index, 1: indent, 3: info, 4: body } of text.matchAll(FENCE)) {
    const [language, mode] = info.trim().split(/\s+/);
    if (!/^(ts|typescript|tsx)$/.test(language)) continue;
    const line = text.slice(0, index).split('\n').length + 1;
    const code = body.replaceAll(new RegExp(`^${indent}`, 'gm'), '');
    const name = `${path.replaceAll(/[\\/]/g, '-')}-${line}`;
    found.push({ path, line, code, name, runs: mode === 'run' });
  }
  return found;
}

async function checkFormat({ path, line, code }) {
  const options = await prettier.resolveConfig(join(root, path));
  try {
    if (await prettier.check(code, { ...options, parser: 'typescript' })) return [];
    return [`${path}:${line} is not formatted`];
  } catch (error) {
    return [`${path}:${line} cannot be parsed: ${error.message.split('\n')[0]}`];
  }
}

function compile() {
  if (blocks.length === 0) return [];
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  for (const { name, code } of blocks) writeFileSync(join(work, `${name}.ts`), code);
  const options = { rootDir: '.', outDir: 'out', declaration: false, sourceMap: false };
  const project = {
    extends: join(root, 'tsconfig.json'),
    compilerOptions: options,
    include: ['.'],
  };
  writeFileSync(join(work, 'tsconfig.json'), JSON.stringify(project));
  const { ok, output } = capture(process.execPath, [tsc, '-p', work, '--pretty', 'false']);
  if (ok) return [];
  // Errors are told where the reader of the document finds them.
  const places = new Map(blocks.map((block) => [`${block.name}.ts`, block]));
  return output
    .trim()
    .split('\n')
    .map((text) => {
      const [, file, line, message] = /([^/\s]+\.ts)\((\d+),\d+\): (.*)/.exec(text) ?? [];
      const block = places.get(file);
      return block ? `${block.path}:${block.line + Number(line) - 1} ${message}` : text;
    });
}

function run({ path, line, name, runs }) {
  if (!runs) return [];
  const script = join(work, 'out', `${name}.js`);
  const { ok, output } = capture(process.execPath, [script], { cwd: work, timeout: 30_000 });
  return ok ? [] : [`${path}:${line} fails when run:\n${output}`];
}

function findDeadLinks(path, text) {
  const prose = text.replaceAll(FENCE, '').replaceAll(/`[^`\n]*`/g, '');
  const links = [...prose.matchAll(/\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)|^\[[^\]]+\]:\s*(\S+)/gm)];
  return links
    .map(([, inline, reference]) => inline ?? reference)
    .filter((link) => !/^[a-z][a-z\d+.-]*:/i.test(link))
    .filter((link) => !leadsSomewhere(path, link))
    .map((link) => `${path}: the link to ${link} leads nowhere`);
}

function leadsSomewhere(path, link) {
  const [file, anchor] = decodeURI(link).split('#');
  const target = file ? join(dirname(path), file) : path;
  if (target.startsWith('..') || !existsSync(join(root, target))) return false;
  if (!anchor || !target.endsWith('.md')) return true;
  return anchorsOf(readFileSync(join(root, target), 'utf8')).includes(anchor);
}

/** The names that GitHub gives to headings. */
function anchorsOf(text) {
  const seen = new Map();
  return [...text.replaceAll(FENCE, '').matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)].map(([, heading]) => {
    const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const slug = plain.replaceAll(/[^\p{L}\p{N}\s_-]/gu, '').replaceAll(/\s/g, '-');
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  });
}
