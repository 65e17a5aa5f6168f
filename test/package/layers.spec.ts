import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

/** What oxlint says about each file of a small project, by path. */
type Findings = ReadonlyMap<string, readonly string[]>;

const LAYERS = 'eslint(no-restricted-imports)';

// One line per file: each imports one thing.
const forbidden: Record<string, string> = {
  'src/core/http.ts': `import '../http/cookie.js';`,
  'src/core/nest.ts': `import '../nest/session.module.js';`,
  'src/core/store.ts': `import type { X } from '../stores/memory/memory.store.js';`,
  'src/core/io.ts': `import { readFile } from 'node:fs/promises';`,
  'src/core/package.ts': `import { CronJob } from 'cron';`,
  'src/core/package-type.ts': `import type { Redis } from 'ioredis';`,
  'src/core/re-export.ts': `export { map } from 'rxjs';`,
  'src/core/dynamic.ts': `export const load = () => import('ioredis');`,
  'src/core/codec/nest.ts': `import '../../nest/session.module.js';`,
  'src/core/codec/package.ts': `import 'cron';`,
  'src/http/nest.ts': `import '../nest/session.module.js';`,
  'src/http/store.ts': `import '../stores/memory/memory.store.js';`,
  'src/http/package.ts': `import type { Request } from 'express';`,
  'src/stores/redis/http.ts': `import '../../http/cookie.js';`,
  'src/stores/redis/nest.ts': `import '../../nest/session.module.js';`,
  'src/stores/redis/sibling.ts': `import type { X } from '../memory/memory.store.js';`,
  'src/stores/redis/driver.ts': `import { Redis } from 'ioredis';`,
  'src/stores/redis/dynamic.ts': `export const load = () => import('ioredis');`,
  'src/stores/redis/redis.connection.ts': `export const load = () => import('ioredis');`,
  'src/stores/pg/redis.connection-driver.ts': `import { Redis } from 'ioredis';`,
  'src/stores/pg/driver.ts': `import { Pool } from 'pg';`,
  'src/stores/x/no.ts': `import 'no'; `,
  'src/stores/x/node.ts': `import { run } from 'node-cron';`,
  'src/nest/store.ts': `import '../stores/redis/index.js';`,
  'src/nest/testing.ts': `import '../testing/index.js';`,
  'src/nest/package.ts': `import type { Request } from 'express';`,
  'src/nest/optional.ts': `import { Test } from '@nestjs/testing';`,
  'src/testing/store.ts': `import '../stores/redis/index.js';`,
  'src/testing/package.ts': `import { expect } from '@jest/globals';`,
  'src/testing/contract/store.ts': `import '../../stores/redis/index.js';`,
  'src/testing/contract/package.ts': `import { expect } from '@jest/globals';`,
  'src/index.ts': `export { CronJob } from 'cron';`,
  'test/e2e/inside.spec.ts': `import '../../src/core/token.js';`,
  'test/contract/inside.spec.ts': `import '../../src/stores/memory/memory.store.js';`,
  'demo/src/source.ts': `import '../../src/index.js';`,
  'demo/src/users/source.ts': `import '../../../src/index.js';`,
  'demo/src/dist.ts': `import '../../dist/esm/index.js';`,
};

const allowed: Record<string, string> = {
  'src/core/ok.ts': `import './b.js'; import 'node:crypto'; import 'node:diagnostics_channel';`,
  'src/core/codec/ok.ts': `import './b.js'; import '../errors.js'; import '../token/b.js'; import 'node:crypto';`,
  'src/http/ok.ts': `import './b.js'; import '../core/b.js'; import 'node:crypto'; import 'node:fs/promises';`,
  'src/stores/redis/ok.ts': `import type { Redis } from 'ioredis'; import './keys.js'; import '../../core/b.js'; import 'node:crypto';`,
  'src/stores/redis/redis.connection-driver.ts': `export const load = () => import('ioredis');`,
  'src/nest/ok.ts': `import '../core/b.js'; import '../http/b.js'; import '../stores/memory/b.js'; import 'cron'; import 'rxjs/operators'; import 'node:util'; import 'node:timers/promises'; import '@nestjs/terminus';`,
  'src/testing/ok.ts': `import '../core/b.js'; import '../nest/b.js'; import '@nestjs/testing'; import 'node:timers/promises';`,
  'src/testing/contract/ok.ts': `import './b.js'; import '../b.js'; import '../../core/b.js'; import '../../stores/memory/b.js';`,
  'test/e2e/ok.spec.ts': `import '../../src/index.js'; import '../../src/testing/index.js'; import '../support/http.js';`,
  'test/redis/ok.spec.ts': `import '../../src/stores/redis/index.js';`,
  'test/unit/core/ok.spec.ts': `import '../../../src/core/token.js';`,
  'demo/src/ok.ts': `import 'nestjs-session-kit'; import 'nestjs-session-kit/testing'; import './users/source.js';`,
};

// Rules other than the layers that the conventions promise.
const broken: Record<string, [rule: string, source: string]> = {
  'src/core/any.ts': ['no-explicit-any', 'export const a: any = 1;'],
  'src/core/floating.ts': [
    'no-floating-promises',
    `async function f(): Promise<void> {} export function g(): void { f(); }`,
  ],
  'src/core/bang.ts': ['no-non-null-assertion', 'export const f = (a?: string): string => a!;'],
  'src/core/default.ts': ['no-default-export', 'export default 1;'],
  'src/core/long.ts': ['max-lines', 'export {};\n'.repeat(351)],
  'test/e2e/long.spec.ts': ['max-lines', 'export {};\n'.repeat(351)],
  'src/core/cycle-a.ts': [
    'no-cycle',
    `import { b } from './cycle-b.js'; export const a = () => b;`,
  ],
  'src/core/cycle-b.ts': [
    'no-cycle',
    `import { a } from './cycle-a.js'; export const b = () => a;`,
  ],
};

const injection = `
import { Injectable } from '@nestjs/common';
import { Manager } from '../core/manager.js';

@Injectable()
export class Service {
  constructor(private readonly manager: Manager) {}
  get count(): number { return this.manager.count; }
}
`;

describe('the lint rules', () => {
  const root = process.cwd();
  const project = mkdtempSync(join(tmpdir(), 'layers-'));
  let findings: Findings;

  beforeAll(() => {
    const sources = Object.entries({ ...forbidden, ...allowed });
    for (const [path, [, source]] of Object.entries(broken)) sources.push([path, source]);
    sources.push(['src/core/manager.ts', 'export class Manager { count = 0; }']);
    sources.push(['src/nest/injection.ts', injection]);
    for (const [path, source] of sources) {
      mkdirSync(dirname(join(project, path)), { recursive: true });
      writeFileSync(join(project, path), source);
    }
    for (const file of ['.oxlintrc.json', 'tsconfig.json'])
      cpSync(join(root, file), join(project, file));
    // The type-aware rules and the types of Node come from there.
    symlinkSync(join(root, 'node_modules'), join(project, 'node_modules'));
    findings = lint(root, project);
  });

  afterAll(() => rmSync(project, { recursive: true }));

  it.each(Object.entries(forbidden))('refuse in %s: %s', (path) => {
    expect(findings.get(path)).toContain(LAYERS);
  });

  it.each(Object.entries(allowed))('accept in %s: %s', (path) => {
    expect(findings.get(path) ?? []).not.toContain(LAYERS);
  });

  it.each(Object.entries(broken))('report %s', (path, [rule]) => {
    expect(findings.get(path)).toContainEqual(expect.stringContaining(rule));
  });

  it('leave the imports alone that constructor injection needs', () => {
    expect(findings.get('src/nest/injection.ts')).toBeUndefined();
  });

  it('cover every folder of the library', () => {
    const folders = readdirSync(join(root, 'src'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
    const covered = Object.keys(forbidden).map((path) => path.split('/')[1]);
    expect(covered).toEqual(expect.arrayContaining(folders));
  });
});

function lint(root: string, project: string): Findings {
  const bin = join(root, 'node_modules/oxlint/bin/oxlint');
  let output: string;
  try {
    output = execFileSync(process.execPath, [bin, '--format', 'json', 'src', 'test', 'demo'], {
      cwd: project,
      encoding: 'utf8',
    });
  } catch (error) {
    // oxlint reports through its exit code that it found something.
    output = (error as { stdout: string }).stdout;
  }
  const { diagnostics } = JSON.parse(output) as {
    diagnostics: { code: string; filename: string }[];
  };
  const findings = new Map<string, string[]>();
  for (const { code, filename } of diagnostics) {
    const path = resolve(project, filename).slice(project.length + 1);
    findings.set(path, [...(findings.get(path) ?? []), code]);
  }
  return findings;
}
