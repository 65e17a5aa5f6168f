/**
 * What the log says of a store that comes and goes.
 */
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { SessionStoreError } from '../../../src/core/errors.js';
import { OutageLog } from '../../../src/nest/outage-log.js';

let lines: string[];
const outage = (what: string): SessionStoreError => new SessionStoreError(what);

beforeEach(() => {
  lines = [];
  const keep = (line: unknown): void => void lines.push(String(line).split(' (')[0] ?? '');
  Logger.overrideLogger({ log: keep, error: keep, warn: keep });
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
  Logger.overrideLogger(['fatal']);
});

it('P1: is right in the end about a store that fails again within the pause', () => {
  const log = new OutageLog();
  log.note(outage('first'));
  log.note(undefined);
  for (let time = 0; time < 3; time++) {
    log.note(outage('second'));
    log.note(undefined);
  }
  log.note(outage('third'));
  expect(lines).toEqual(['first', 'the session store answers again']);
  jest.advanceTimersByTime(10_000);
  expect(lines.slice(2)).toEqual(['third']);
  log.note(undefined);
  expect(lines.slice(3)).toEqual(['the session store answers again']);
});

it('P1: says nothing more of a store that is well when the pause is over', () => {
  const log = new OutageLog();
  log.note(outage('first'));
  log.note(undefined);
  log.note(outage('second'));
  log.note(undefined);
  jest.advanceTimersByTime(20_000);
  expect(lines).toEqual(['first', 'the session store answers again']);
  expect(jest.getTimerCount()).toBe(0);
});

it('P1: says nothing any more when the application is closed', () => {
  const log = new OutageLog();
  log.note(outage('first'));
  log.note(undefined);
  log.note(outage('second'));
  log.onApplicationShutdown();
  expect(jest.getTimerCount()).toBe(0);
  expect(lines).toEqual(['first', 'the session store answers again']);
});
