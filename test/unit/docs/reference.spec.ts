/**
 * The reference lists what the code knows, no more and no less.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { END_REASONS, SESSION_ERROR_CODES } from '../../../src/index.js';
import { ANSWERS } from '../../../src/nest/session.exceptions.js';
import { SESSION_EVENT_NAMES } from '../../../src/core/events.js';

const page = (name: string): string => readFileSync(`docs/reference/${name}.md`, 'utf8');
const rows = (name: string): string[][] =>
  page(name)
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|').map((cell) => cell.trim().replaceAll('`', '')));

describe('docs/reference', () => {
  it('errors.md has every code with its status', () => {
    const documented = rows('errors').map(([, code, status]) => [code, Number(status)]);
    const known = SESSION_ERROR_CODES.map((code) => [code, ANSWERS[code].status]);
    const byCode = (a: readonly unknown[], b: readonly unknown[]): number =>
      String(a[0]).localeCompare(String(b[0]));
    expect(documented.toSorted(byCode)).toEqual(known.toSorted(byCode));
  });

  it('events.md has every event', () => {
    expect(rows('events').map(([, name]) => name)).toEqual([...SESSION_EVENT_NAMES]);
  });

  it('events.md has every reason', () => {
    const line =
      page('events')
        .split('\n')
        .find((text) => text.startsWith('Reasons')) ?? '';
    expect([...line.matchAll(/`([a-z]+)`/g)].map(([, reason]) => reason)).toEqual([...END_REASONS]);
  });

  it.each(['RequestSession', 'SessionService'])('api.md has every member of %s', (name) => {
    const report = readFileSync('etc/index.api.md', 'utf8');
    const [, body = ''] = report.split(new RegExp(`export class ${name} .*`));
    const members = body.slice(0, body.indexOf('\n}')).matchAll(/^ {4}(?:get )?([a-z]\w*)[(<:]/gim);
    const known = [...members].map(([, member]) => member).filter((member) => member !== 'toJSON');
    expect(known.length).toBeGreaterThan(20);

    const [, section = ''] = page('api').split(`## \`${name}\``);
    const [text = ''] = section.split('\n## ');
    const documented = [...text.matchAll(/`([a-z]\w*)[(`]/gi)].map(([, member]) => member);
    expect(known.filter((member) => !documented.includes(member))).toEqual([]);
  });
});
