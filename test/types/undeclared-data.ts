/**
 * Compiled, never run: session data of an application that has declared none.
 */
import type { RequestSession, SessionFieldTypes, SessionValue } from '../../src/index.js';
import type { Equal } from './equal.js';

void (true satisfies Equal<SessionFieldTypes, Record<string, SessionValue>>);

export async function use(session: RequestSession): Promise<void> {
  const value = await session.get('anything');
  void (true satisfies Equal<typeof value, SessionValue | undefined>);
  await session.set('anything', { nested: [1, 'two', null, new Date(), 4n, new Map([['a', 1]])] });
  await session.set({ a: 1, b: 'two', c: true });
  await session.append('list', 'item');

  // @ts-expect-error -- cannot be kept
  await session.set('fn', () => 5);
  // @ts-expect-error -- cannot be kept
  await session.set('symbol', Symbol('x'));
  // @ts-expect-error -- cannot be kept
  await session.set('promise', Promise.resolve(1));
  // @ts-expect-error -- cannot be kept
  await session.set('nested', { fn: () => 5 });
  // @ts-expect-error -- a field is deleted, not set to undefined
  await session.set('nothing', undefined);
  // @ts-expect-error -- what is read is not yet known to be a number
  const sum: number = await session.get('count');
  return void sum;
}
