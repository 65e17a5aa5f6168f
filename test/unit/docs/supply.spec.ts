/**
 * What the package brings along: nothing that reads cookies, signs or encrypts.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  readonly dependencies: Readonly<Record<string, string>>;
};
const importsOf = (folder: string): Set<string> =>
  new Set(
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .flatMap((path) => [
        ...readFileSync(join(folder, path), 'utf8').matchAll(/\bfrom '([^'.\s]+)';$/gm),
      ])
      .map(([, name = '']) => name),
  );

describe('the supply of the package', () => {
  it('G-03: cookies and cryptography need nothing but Node', () => {
    expect(Object.keys(dependencies)).toEqual(['cron']);
    for (const folder of ['src/core', 'src/http']) {
      const foreign = [...importsOf(folder)].filter((name) => !name.startsWith('node:'));
      expect(foreign).toEqual([]);
    }
    expect(importsOf('src/core')).toContain('node:crypto');
  });
});
