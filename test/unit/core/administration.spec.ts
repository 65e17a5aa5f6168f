/**
 * Ending many sessions: what is no moment and no condition must not pass for one.
 */
import { describe, expect, it } from '@jest/globals';
import { resolveOptions } from '../../../src/core/config.js';
import { SessionService } from '../../../src/core/service.js';
import { memoryStore } from '../../../src/index.js';

describe('ending many sessions', () => {
  const service = new SessionService(resolveOptions({}), memoryStore());
  const count = async (): Promise<number> => (await service.list('alice')).sessions.length;

  it('S-14: revokeEveryone refuses what is no moment, and still works afterwards', async () => {
    await service.create('alice');
    for (const until of [Number.NaN, Infinity, '0', new Date(), null]) {
      await expect(async () => service.revokeEveryone(until as never)).rejects.toThrow(RangeError);
    }
    expect(await count()).toBe(1);
    await service.revokeEveryone();
    expect(await count()).toBe(0);
  });

  it.each([
    [{ tenant: undefined }],
    [{ userId: undefined }],
    [{ userId: 7 }],
    [{ user: 'bob' }],
    [{ __proto__: null, constructor: 'x' }],
    [{ createdBefore: Number.NaN }],
    [{ levelBelow: null }],
  ])('V-04: revokeWhere(%j) ends nobody', async (filter) => {
    await service.create('alice');
    const before = await count();
    await expect(service.revokeWhere(filter as never)).rejects.toThrow(TypeError);
    expect(await count()).toBe(before);
  });
});
