import { END_REASONS, type EndedSession } from '../../core/record.js';
import { DURATION_BOUNDS } from '../../core/store.js';
import { byId } from './by-id.js';
import type { Contract } from './contract.js';
import type { ModelStore } from './model.js';
import type { Scene } from './scene.js';

/** The pages show exactly the sessions of the model, and the counters count them. */
export async function expectSameSessions(
  { expect }: Contract,
  { store }: Scene,
  model: ModelStore,
): Promise<void> {
  const paged: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.page({ limit: 5, ...(cursor !== undefined && { cursor }) });
    model.passTo(page.now);
    for (const record of page.sessions) {
      expect(record).toEqual(model.find(record.id)?.record);
      paged.push(record.id);
    }
    ({ cursor } = page);
  } while (cursor !== undefined);
  const live = model.live.map(({ record }) => record.id);
  expect(new Set(paged).size).toBe(paged.length);
  expect(live.filter((id) => !paged.includes(id))).toEqual([]);
  const { now, active, anonymous, created } = await store.stats();
  model.passTo(now);
  const users = model.live.filter(({ userKey }) => userKey !== undefined).length;
  expect({ active, anonymous, created }).toEqual({
    active: users,
    anonymous: model.live.length - users,
    created: model.created,
  });
}

/** Every end of the model was handed out once and counted once, and nothing is left. */
export async function expectAllEnded(
  { expect, capabilities }: Contract,
  scene: Scene,
  model: ModelStore,
  handedOut: readonly EndedSession[],
): Promise<void> {
  const ends = model.ended.map(({ absoluteAt: _a, userKey: _b, ...ended }) => ended);
  expect(handedOut.toSorted(byId)).toEqual(ends.toSorted(byId));
  const ofUsers = ends.filter(({ userId }) => userId !== undefined);
  const durations = ofUsers.map(({ createdAt, endedAt }) => endedAt - createdAt);
  const { ended, duration, sessionsPerUser } = await scene.store.stats();
  expect(ended).toEqual(
    Object.fromEntries(
      END_REASONS.map((reason) => [reason, ofUsers.filter((end) => end.reason === reason).length]),
    ),
  );
  expect(duration).toEqual({
    count: durations.length,
    sum: durations.reduce((sum, each) => sum + each, 0),
    buckets: [durations.length, ...DURATION_BOUNDS.map(() => 0)],
  });
  expect([...sessionsPerUser.values()].filter((users) => users > 0)).toEqual([]);
  if (capabilities.inspection !== true) return;
  const nothing = { sessions: 0, tombstones: 0, indexEntries: 0 };
  expect(await scene.inspect()).toEqual(nothing);
}
