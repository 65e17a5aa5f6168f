/**
 * Listeners that give back or throw anything.
 */
import { describe, expect, it } from '@jest/globals';
import { SessionEventBus } from '../../../src/core/events.js';

const EVENT = { eventId: 'x', at: 0, sessionId: 'y', generation: 1 } as const;

describe('a listener', () => {
  it('may give back anything; only what it throws or rejects with is reported', async () => {
    const failures: unknown[] = [];
    const bus = new SessionEventBus((_, error) => failures.push(error));
    const heard: unknown[] = [];
    const fault = new Error('mine');
    const others = [() => null, () => 'text', () => ({}), async () => 7];
    bus.on('session.rotated', (event) => heard.push(event) as never);
    for (const listener of others) bus.on('session.rotated', listener as never);
    bus.emit('session.rotated', { ...EVENT });
    await new Promise(setImmediate);
    expect(failures).toEqual([]);
    expect(heard).toEqual([EVENT]);

    bus.on('session.rotated', () => {
      throw fault;
    });
    bus.on('session.rotated', async () => Promise.reject(fault));
    bus.emit('session.rotated', { ...EVENT });
    await new Promise(setImmediate);
    expect(failures).toEqual([fault, fault]);
    expect(heard).toHaveLength(2);
  });
});
