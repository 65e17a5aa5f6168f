// What a million sessions cost: `npm run bench -- scale`.
//
//   BENCH_SESSIONS=100000   fewer of them, for a try
//
// Two populations lie on one server, told apart by their prefix, and are asked in turn, so that
// whatever else the machine does meets both alike.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { logIn, startApp, userOf } from './lib/app.mjs';
import { inParallel, median, quantile, round, timed } from './lib/measure.mjs';
import { report } from './lib/report.mjs';

const FEW = 1_000;
const MANY = Number(process.env.BENCH_SESSIONS ?? 1_000_000);
const ROUNDS = 300;
/** Sessions of the user who is looked at. */
const OWN = 5;
const IN_FLIGHT = 256;
const BATCH = 500;
const WINDOW = 1_000;
const VALIDATORS = 8;
/** No part of it may go on for longer than that, in milliseconds. */
const BOUND = 1_500_000;

const redis = new Redis(process.env.REDIS_URL);
const apps = {
  few: await startApp({ prefix: 'bench-few:' }),
  many: await startApp({ prefix: 'bench-many:' }),
};
try {
  await main();
} finally {
  await removeAll();
  await Promise.all(Object.values(apps).map((app) => app.close()));
  redis.disconnect();
}

async function main() {
  await fill('few', FEW);
  const before = await usedMemory();
  const took = await fill('many', MANY);
  const bytes = ((await usedMemory()) - before) / MANY;
  console.log(`${MANY} sessions in ${(took / 1000).toFixed(0)} s, ${bytes.toFixed(0)} bytes each`);
  const oneUser = await measureOneUser();
  console.table(oneUser);
  const cleanup = await measureCleanup();
  console.table(cleanup);
  const info = await redis.info('server');
  const results = {
    sessions: { few: FEW, many: MANY },
    machine: {
      node: process.version,
      redis: /redis_version:(\S+)/.exec(info)?.[1],
      processors: cpus().length,
    },
    fill: { seconds: round(took / 1000, 0), perSecond: round(MANY / (took / 1000), 0) },
    memory: { bytesPerSession: round(bytes, 0) },
    oneUser,
    cleanup,
  };
  writeFileSync(
    new URL('./results/scale.json', import.meta.url),
    `${JSON.stringify(results, null, 2)}\n`,
  );
  report(results);
}

async function fill(which, count) {
  const { sessions } = apps[which];
  let shown = 0;
  return timed(() =>
    inParallel(count, IN_FLIGHT, async (number) => {
      await logIn(sessions, number);
      if (which === 'many' && number % 20 === 0) await comeAndGo(number);
      if (number < shown + 100_000) return;
      shown += 100_000;
      console.log(`${shown} sessions`);
    }),
  );
}

/**
 * A login and a logout among the few: counters are kept by the minute, and both populations shall
 * have the same minutes behind them.
 */
async function comeAndGo(number) {
  const { sessions } = apps.few;
  const { session } = await logIn(sessions, 7_000_000 + (number % 500));
  await sessions.revoke(session.id);
}

/** Medians of what concerns one user, and of the figures of all. */
async function measureOneUser() {
  const times = {};
  const note = (operation, which, ms) => {
    times[operation] ??= { few: [], many: [] };
    times[operation][which].push(ms);
  };
  for (let number = -30; number < ROUNDS; number++) {
    for (const which of number % 2 === 0 ? ['few', 'many'] : ['many', 'few']) {
      const { sessions } = apps[which];
      const user = userOf(9_000_000 + number);
      for (let own = 0; own < OWN; own++) await logIn(sessions, 9_000_000 + number);
      const found = {
        list: await timed(() => sessions.list(user)),
        revokeUser: await timed(() => sessions.revokeUser(user)),
        stats: await timed(() => sessions.stats()),
        page: await timed(() => sessions.page({ limit: 100 })),
      };
      // The first ones warm up.
      if (number < 0) continue;
      for (const [operation, ms] of Object.entries(found)) note(operation, which, ms);
    }
  }
  return Object.fromEntries(
    Object.entries(times).map(([operation, { few, many }]) => [
      operation,
      {
        few: round(median(few)),
        many: round(median(many)),
        ratio: round(median(many) / median(few), 2),
        manyP99: round(quantile(many, 0.99)),
      },
    ]),
  );
}

/** How long validations take while another instance cleans up, and in the pauses in between. */
async function measureCleanup() {
  const { sessions } = apps.many;
  const tokens = [];
  for (let number = 0; number < 1_000; number++) {
    const { token } = await logIn(sessions, 8_000_000 + number, { remember: true });
    tokens.push(token.token.reveal());
  }
  const cleaner = fork(new URL('./lib/cleaner.mjs', import.meta.url), ['bench-many:']);
  const died = new AbortController();
  cleaner.on('exit', () => died.abort(new Error('the cleaner died')));
  const answer = async () => (await once(cleaner, 'message', { signal: died.signal }))[0];
  await answer();
  const times = { quiet: [], cleaning: [] };
  let state;
  let refused = 0;
  const validate = async (worker) => {
    for (let turn = worker; ; turn += VALIDATORS) {
      const during = state;
      if (during === 'over') return;
      const ms = await timed(async () => {
        const { status } = await sessions.resolve(tokens[turn % tokens.length]);
        if (status !== 'active') refused += 1;
      });
      times[during]?.push(ms);
      await delay(2);
    }
  };
  const validators = Array.from({ length: VALIDATORS }, (_, worker) => validate(worker));
  // Warm-up.
  await delay(2_000);
  let [ended, busy, runs, failures] = [0, 0, 0, 0];
  const begun = performance.now();
  for (let unfinished = true; unfinished && performance.now() - begun < BOUND; runs++) {
    state = 'quiet';
    await delay(WINDOW);
    state = 'cleaning';
    cleaner.send({ batch: BATCH, budget: WINDOW });
    const done = await answer();
    ended += done.ended;
    busy += done.took;
    unfinished = done.unfinished;
    if (done.repairs.withoutExpiry + done.repairs.danglingEntries > 0) failures += 1;
  }
  state = 'over';
  await Promise.all(validators);
  cleaner.disconnect();
  const { quiet, cleaning } = times;
  const p99 = [quiet, cleaning].map((each) => quantile(each, 0.99));
  return {
    ended,
    left: (await sessions.stats()).active,
    runs,
    endedPerSecond: round(ended / (busy / 1000), 0),
    validations: quiet.length + cleaning.length,
    refused,
    failures,
    medianQuiet: round(median(quiet)),
    medianCleaning: round(median(cleaning)),
    p99Quiet: round(p99[0]),
    p99Cleaning: round(p99[1]),
    ratio: round(p99[1] / p99[0], 2),
  };
}

async function usedMemory() {
  return Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]);
}

/** A server that was given keeps nothing of ours. */
async function removeAll() {
  for (const pattern of ['bench-few:*', 'bench-many:*']) {
    let cursor = '0';
    do {
      const [next, keys] = await redis.scan(cursor, 'MATCH', pattern, 'COUNT', '1000');
      if (keys.length > 0) await redis.unlink(...keys);
      cursor = next;
    } while (cursor !== '0');
  }
}
