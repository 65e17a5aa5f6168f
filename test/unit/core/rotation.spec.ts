import { describe, expect, it } from '@jest/globals';
import {
  type NextToken,
  type PresentedToken,
  type RotationRules,
  type TokenMatch,
  type TokenState,
  firstTokenState,
  fork,
  matchToken,
  rotateHard,
  rotateSoftly,
  rotateToken,
} from '../../../src/core/rotation.js';
import { Random } from '../../../src/testing/random.js';

const RULES: RotationRules = { grace: 30, maxForks: 3, onReuse: 'revoke' };

const token = (name: string, generation: number, traits = 'T'): PresentedToken => ({
  verifier: name,
  generation,
  traits,
});
const next = (name: string, generation: number): NextToken => ({
  verifier: name,
  keyId: generation,
  generation,
  salt: `salt of ${name}`,
});

const [A, B, C] = [token('a', 0), token('b', 1), token('c', 2)];
const first = firstTokenState({ verifier: 'a', keyId: 0, generation: 0 }, 0);
/** a → b at 100, not presented yet. */
const soft = rotateSoftly(first, A, next('b', 1), 100);
const confirmed = confirm(soft, B, 110);
/** b seems lost: a → c at 200. */
const forked = fork(soft, next('c', 2), 200);
const hard = rotateHard(next('b', 1), 100, RULES);

function confirm(state: TokenState, presented: PresentedToken, now: number): TokenState {
  const match = matchToken(state, presented, now, RULES);
  if (match.kind !== 'current') throw new Error(match.kind);
  return match.next;
}

function inWords(match: TokenMatch): string {
  if (match.kind !== 'predecessor') return match.kind;
  return [
    match.kind,
    ...(match.successor ? [`gets ${match.successor.verifier}`] : []),
    ...(match.suspicious ? ['suspicious'] : []),
  ].join(' ');
}

describe('matchToken', () => {
  it.each<[string, TokenState, PresentedToken, number, string]>([
    ['the current token', first, A, 5, 'current'],
    ['the current token of another client', first, token('a', 0, 'X'), 5, 'current'],
    ['an unknown one of the same generation', first, token('x', 0), 5, 'reused'],
    ['one of a later generation', first, token('x', 1), 5, 'ahead'],

    ['the successor', soft, B, 101, 'current'],
    ['the successor, late', soft, B, 9_999, 'current'],
    ['the predecessor at once', soft, A, 100, 'predecessor gets b'],
    ['the predecessor at the end of the grace', soft, A, 130, 'predecessor gets b'],
    ['the predecessor after the grace', soft, A, 131, 'predecessor'],
    ['the predecessor at the end of the second', soft, A, 160, 'predecessor'],
    ['the predecessor after that', soft, A, 161, 'fork'],
    ['the predecessor, other client', soft, token('a', 0, 'X'), 130, 'predecessor suspicious'],
    ['the predecessor, other client, later', soft, token('a', 0, 'X'), 131, 'reused'],
    ["a stranger of the predecessor's generation", soft, token('x', 0), 110, 'reused'],

    ['the predecessor of a confirmed one', confirmed, A, 140, 'predecessor'],
    ['the same after the grace', confirmed, A, 141, 'reused'],
    ['the same of another client', confirmed, token('a', 0, 'X'), 140, 'predecessor suspicious'],
    ['the predecessor of one confirmed late', confirm(soft, B, 999), A, 1_029, 'predecessor'],
    ['the same after the grace', confirm(soft, B, 999), A, 1_030, 'reused'],

    ['the second successor', forked, C, 201, 'current'],
    ['the first successor after all', forked, B, 9_999, 'current'],
    ['the first successor, other client', forked, token('b', 1, 'X'), 201, 'reused'],
    ['the predecessor of both', forked, A, 230, 'predecessor gets c'],
    ['the predecessor of both, a little later', forked, A, 260, 'predecessor'],
    ['the predecessor of both, once more lost', forked, A, 261, 'fork'],
    ['the loser in time', confirm(forked, C, 300), B, 330, 'current'],
    ['the loser too late', confirm(forked, C, 300), B, 331, 'reused'],
    ['the other loser in time', confirm(forked, B, 300), C, 330, 'current'],
    ['the other loser too late', confirm(forked, B, 300), C, 331, 'reused'],
    ['the winner, late', confirm(forked, B, 300), B, 9_999, 'current'],
    ['the predecessor after one was presented', confirm(forked, B, 210), A, 240, 'predecessor'],
    ['the same after the grace', confirm(forked, B, 210), A, 241, 'reused'],

    ['the predecessor of a hard rotation', hard, A, 130, 'retired'],
    ['the same of another client', hard, token('a', 0, 'X'), 130, 'retired'],
    ['the same after the grace', hard, A, 131, 'reused'],
    ['an unknown one of the new generation', hard, token('x', 1), 110, 'reused'],
    ['the new one', hard, B, 101, 'current'],
  ])('%s', (_what, state, presented, now, expected) => {
    expect(inWords(matchToken(state, presented, now, RULES))).toBe(expected);
  });

  it('forks as often as the rules say', () => {
    let state = soft;
    for (let forks = 0; forks < RULES.maxForks; forks++) {
      const now = state.rotatedAt + 61;
      expect(matchToken(state, A, now, RULES).kind).toBe('fork');
      state = fork(state, next(`fork ${forks}`, state.generation + 1), now);
    }
    expect(matchToken(state, A, state.rotatedAt + 60, RULES).kind).toBe('predecessor');
    expect(matchToken(state, A, state.rotatedAt + 61, RULES).kind).toBe('reused');
    expect(matchToken(soft, A, 161, { ...RULES, maxForks: 0 }).kind).toBe('reused');
  });

  it('keeps the salt until the successor was presented and the grace is over', () => {
    expect(confirmed.salt).toBe('salt of b');
    expect(confirm(confirmed, B, 130)).toBe(confirmed);
    const over = confirm(confirmed, B, 131);
    expect(over.salt).toBeUndefined();
    expect(confirm(over, B, 999)).toBe(over);
  });

  it('sets the end of the other successor once', () => {
    const won = confirm(forked, B, 300);
    expect(won).toMatchObject({
      verifier: 'b',
      generation: 2,
      sibling: { verifier: 'c', until: 330 },
    });
    expect(confirm(won, B, 310)).toBe(won);
    expect(confirm(won, C, 320)).toMatchObject({ sibling: { verifier: 'b', until: 330 } });
  });
});

describe('rotateToken', () => {
  const attempt = (
    state: TokenState,
    kind: 'soft' | 'fork' | 'hard' | 'reissue',
    presented: PresentedToken,
    generation: number,
    now = 110,
  ): string => {
    const rotation = { token: presented, kind, next: next('n', generation) };
    const outcome = rotateToken(state, rotation, now, RULES);
    if (outcome.kind === 'rotated') return `rotated to ${outcome.next.generation}`;
    return outcome.successor ? `lost, gets ${outcome.successor.verifier}` : 'lost';
  };

  it.each<[Parameters<typeof attempt>, string]>([
    [[first, 'soft', A, 1], 'rotated to 1'],
    [[first, 'hard', A, 1], 'rotated to 1'],
    [[first, 'fork', A, 1], 'lost'],
    [[first, 'soft', A, 0], 'lost'],
    [[first, 'soft', A, 2], 'lost'],
    [[first, 'hard', token('x', 0), 1], 'lost'],
    [[soft, 'soft', A, 2], 'lost, gets b'],
    [[soft, 'hard', A, 2], 'lost, gets b'],
    [[soft, 'fork', A, 2], 'lost, gets b'],
    [[soft, 'fork', A, 2, 131], 'lost'],
    [[soft, 'fork', A, 2, 161], 'rotated to 2'],
    [[soft, 'soft', A, 2, 161], 'lost'],
    [[soft, 'hard', A, 2, 161], 'lost'],
    [[confirmed, 'soft', A, 2], 'lost'],
    [[confirmed, 'soft', B, 2], 'rotated to 2'],
    [[forked, 'soft', B, 3], 'rotated to 3'],
    [[hard, 'soft', A, 2], 'lost'],
    [[hard, 'reissue', token('', 0), 2], 'rotated to 2'],
    [[hard, 'reissue', token('', 0), 3], 'lost'],
  ])('%j: %s', (args, expected) => {
    expect(attempt(...args)).toBe(expected);
  });

  it('repeated with the same arguments changes nothing', () => {
    const rotation = { token: A, kind: 'soft', next: next('b', 1) } as const;
    expect(rotateToken(soft, rotation, 110, RULES)).toEqual({ kind: 'rotated', next: soft });
  });

  it('after a hard rotation leaves no salt, and no way back to the predecessor', () => {
    expect(hard).toEqual({
      generation: 1,
      verifier: 'b',
      keyId: 1,
      rotatedAt: 100,
      confirmedAt: 100,
      forks: 0,
      retired: { before: 1, until: 130 },
    });
  });

  it('lets a soft rotation keep the grace of a hard one, while it lasts', () => {
    expect(rotateSoftly(hard, B, next('c', 2), 130).retired).toEqual({ before: 1, until: 130 });
    expect(rotateSoftly(hard, B, next('c', 2), 131).retired).toBeUndefined();
  });
});

describe('an honest client', () => {
  // Parallel requests, lost responses, any delay within the grace: never an end.
  it('is never taken for a thief', () => {
    const seed = Number(process.env['TEST_SEED'] ?? 1);
    const random = new Random(seed);
    for (let run = 0; run < 500; run++)
      expect({ seed, run, end: honestLife(random) }).toEqual({ seed, run, end: 'alive' });
  });
});

/**
 * A browser that sends one to four requests per page with the cookie it has, and of whose
 * responses some are lost. Rotation is due at every page; pages are at least four graces apart.
 */
function honestLife(random: Random): string {
  let state = first;
  let cookie = A;
  let now = 0;
  for (let page = 0; page < 40; page++) {
    now += 4 * RULES.grace + random.below(100);
    const sent = cookie;
    for (let request = 1 + random.below(4); request > 0; request--) {
      const match = matchToken(state, sent, now, RULES);
      let answer: PresentedToken | undefined;
      if (match.kind === 'current') {
        state = match.next;
        const kind = 'soft';
        const following = next(`${page} ${request}`, state.generation + 1);
        const outcome = rotateToken(state, { token: sent, kind, next: following }, now, RULES);
        if (outcome.kind === 'rotated') {
          state = outcome.next;
          answer = token(following.verifier, following.generation);
        }
      } else if (match.kind === 'predecessor') {
        const { successor } = match;
        answer = successor && token(successor.verifier, successor.generation);
      } else if (match.kind === 'fork') {
        const following = next(`${page} ${request}`, state.generation + 1);
        const rotation = { token: sent, kind: 'fork', next: following } as const;
        const outcome = rotateToken(state, rotation, now, RULES);
        if (outcome.kind === 'rotated') {
          state = outcome.next;
          answer = token(following.verifier, following.generation);
        }
      } else {
        return `${match.kind} at page ${page}`;
      }
      const isLost = random.below(50) === 0;
      if (answer !== undefined && !isLost) cookie = answer;
      now += random.below(RULES.grace / 4);
    }
  }
  return 'alive';
}
