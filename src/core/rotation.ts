/**
 * Which token of a session was presented, and what follows from it: the state machine of
 * rotation, as pure functions. Every store gives the same answers; the memory store calls these
 * functions, the others say the same in their own language.
 *
 * Two kinds of rotation:
 * - *soft* (periodic): all presenters of the predecessor get one identical successor within the
 *   grace, because its secret is derived from the predecessor's and from a salt kept here.
 * - *hard* (a change of privilege): a random successor that nobody but the caller gets.
 */

/** How long things last in the state machine; milliseconds. */
export interface RotationRules {
  /** The predecessor is accepted this long after its successor was first presented. */
  readonly grace: number;
  /** How many second successors a lost response may cause. */
  readonly maxForks: number;
  /** What a retired token does to the session. */
  readonly onReuse: 'revoke' | 'reject' | 'report';
}

/** All that a store keeps of a session's tokens: verifiers, never a token. */
export interface TokenState {
  /** Highest generation issued; every next token gets one more. */
  readonly generation: number;
  readonly verifier: string;
  /** Key that made `verifier`, so that a successor is derived identically while keys roll. */
  readonly keyId: number;
  readonly rotatedAt: number;
  /** When the current token was first presented: its Set-Cookie arrived. `undefined`: not yet. */
  readonly confirmedAt: number | undefined;
  /** Derives the current token from its predecessor; only after a soft rotation. */
  readonly salt?: string;
  readonly previous?: { readonly verifier: string; readonly traits: string };
  /** The other successor after a fork; `until` is set once one of the two was presented. */
  readonly sibling?: { readonly verifier: string; readonly keyId: number; readonly until?: number };
  readonly forks: number;
  /**
   * After a hard rotation: tokens of earlier generations are refused without a sanction until
   * then, reuse afterwards. By generation, not by verifier: requests in flight may carry the
   * predecessor, its own predecessor within a grace, or the token of two hard rotations ago.
   */
  readonly retired?: { readonly before: number; readonly until: number };
}

/** What a request brought. `traits` is a digest of slow-changing client properties. */
export interface PresentedToken {
  readonly verifier: string;
  readonly generation: number;
  readonly traits: string;
}

/** Lets the holder of the predecessor derive the current token. */
export interface SuccessorHint {
  readonly salt: string;
  readonly generation: number;
  readonly keyId: number;
  /** The current token's: what is derived must match it, or it is not handed out. */
  readonly verifier: string;
}

/** A token that is about to become the current one. */
export interface NextToken {
  readonly verifier: string;
  readonly keyId: number;
  readonly generation: number;
  readonly salt?: string;
}

/**
 * The answer to a presented token.
 *
 * - `current`: the newest token; `next` is the state to keep (the same object if unchanged)
 * - `predecessor`: accepted; `successor` is there when the holder may have it
 * - `fork`: two graces went by and the successor never arrived: issue a second one (`rotate`)
 * - `retired`: replaced by a hard rotation a moment ago: refuse, no sanction
 * - `reused`: a copy of an old token
 * - `ahead`: newer than the record: the store went back in time
 */
export type TokenMatch =
  | { readonly kind: 'current'; readonly next: TokenState }
  | {
      readonly kind: 'predecessor';
      readonly successor?: SuccessorHint;
      readonly suspicious: boolean;
    }
  | { readonly kind: 'fork' }
  | { readonly kind: 'retired' }
  | { readonly kind: 'reused' }
  | { readonly kind: 'ahead' };

/** Fresh state of a session that was just created. */
export function firstTokenState(token: NextToken, now: number): TokenState {
  return {
    generation: token.generation,
    verifier: token.verifier,
    keyId: token.keyId,
    rotatedAt: now,
    confirmedAt: now,
    forks: 0,
  };
}

/** Classifies a presented token; matching is by verifier, the generation only explains a mismatch. */
export function matchToken(
  state: TokenState,
  presented: PresentedToken,
  now: number,
  rules: RotationRules,
): TokenMatch {
  if (presented.verifier === state.verifier) {
    return { kind: 'current', next: confirmed(state, now, rules) };
  }
  if (presented.verifier === state.previous?.verifier) {
    return matchPredecessor(state, presented, now, rules);
  }
  if (presented.verifier === state.sibling?.verifier) {
    const { until } = state.sibling;
    const sameClient = presented.traits === state.previous?.traits;
    if (sameClient && (until === undefined || now <= until)) {
      return { kind: 'current', next: siblingWins(state, now, rules) };
    }
    return { kind: 'reused' };
  }
  const { retired } = state;
  if (retired !== undefined && presented.generation < retired.before && now <= retired.until) {
    return { kind: 'retired' };
  }
  return { kind: presented.generation > state.generation ? 'ahead' : 'reused' };
}

function matchPredecessor(
  state: TokenState,
  presented: PresentedToken,
  now: number,
  rules: RotationRules,
): TokenMatch {
  const { grace, maxForks } = rules;
  const { confirmedAt, rotatedAt, salt, generation, keyId, verifier } = state;
  const sameClient = presented.traits === state.previous?.traits;
  const isPending = confirmedAt === undefined && sameClient;
  if (now <= (confirmedAt ?? rotatedAt) + grace) {
    if (!isPending || salt === undefined) return { kind: 'predecessor', suspicious: !sameClient };
    const successor = { salt, generation, keyId, verifier };
    return { kind: 'predecessor', successor, suspicious: false };
  }
  if (!isPending) return { kind: 'reused' };
  // An answer with the first successor may still be under way: two of them could overtake each other.
  if (now <= rotatedAt + 2 * grace) return { kind: 'predecessor', suspicious: false };
  return { kind: state.forks < maxForks ? 'fork' : 'reused' };
}

/** The current token arrived; what only served its delivery is dropped once the grace is over. */
function confirmed(state: TokenState, now: number, rules: RotationRules): TokenState {
  const confirmedAt = state.confirmedAt ?? now;
  const graceOver = now > state.rotatedAt + rules.grace;
  const openSibling = state.sibling !== undefined && state.sibling.until === undefined;
  const dropSalt = graceOver && state.salt !== undefined;
  if (state.confirmedAt !== undefined && !openSibling && !dropSalt) return state;
  const { salt, sibling, ...rest } = state;
  return {
    ...rest,
    confirmedAt,
    ...(salt !== undefined && !dropSalt && { salt }),
    ...(sibling !== undefined && {
      sibling: { ...sibling, until: sibling.until ?? now + rules.grace },
    }),
  };
}

/** Of two successors the one that was presented first becomes the current token. */
function siblingWins(state: TokenState, now: number, rules: RotationRules): TokenState {
  const { sibling, salt: _unused, ...rest } = state;
  if (sibling === undefined) return state;
  return {
    ...rest,
    verifier: sibling.verifier,
    keyId: sibling.keyId,
    confirmedAt: state.confirmedAt ?? now,
    sibling: {
      verifier: state.verifier,
      keyId: state.keyId,
      until: sibling.until ?? now + rules.grace,
    },
  };
}

/** Periodic rotation away from the current token. */
export function rotateSoftly(
  state: TokenState,
  presented: PresentedToken,
  next: NextToken,
  now: number,
): TokenState {
  return {
    generation: next.generation,
    verifier: next.verifier,
    keyId: next.keyId,
    rotatedAt: now,
    confirmedAt: undefined,
    ...(next.salt !== undefined && { salt: next.salt }),
    previous: { verifier: state.verifier, traits: presented.traits },
    forks: 0,
    ...(state.retired !== undefined && now <= state.retired.until && { retired: state.retired }),
  };
}

/** A second successor of the predecessor, whose first one is lost by all appearances. */
export function fork(state: TokenState, next: NextToken, now: number): TokenState {
  return {
    ...state,
    generation: next.generation,
    verifier: next.verifier,
    keyId: next.keyId,
    rotatedAt: now,
    confirmedAt: undefined,
    ...(next.salt !== undefined && { salt: next.salt }),
    sibling: { verifier: state.verifier, keyId: state.keyId },
    forks: state.forks + 1,
  };
}

/** Rotation at a change of privilege: no grace, no hand-out. */
export function rotateHard(next: NextToken, now: number, rules: RotationRules): TokenState {
  return {
    ...firstTokenState(next, now),
    retired: { before: next.generation, until: now + rules.grace },
  };
}

/** One attempt to make `next` the current token. */
export interface Rotation {
  readonly token: PresentedToken;
  readonly kind: 'soft' | 'fork' | 'hard' | 'reissue';
  readonly next: NextToken;
}

/** `lost`: somebody else rotated first; `successor` is there when the holder may have it. */
export type RotationOutcome =
  | { readonly kind: 'rotated'; readonly next: TokenState }
  | { readonly kind: 'lost'; readonly successor?: SuccessorHint };

/** Compare-and-set of the current token; repeated with the same arguments it changes nothing. */
export function rotateToken(
  state: TokenState,
  rotation: Rotation,
  now: number,
  rules: RotationRules,
): RotationOutcome {
  const { token, kind, next } = rotation;
  if (next.verifier === state.verifier) return { kind: 'rotated', next: state };
  const match = matchToken(state, token, now, rules);
  if (next.generation === state.generation + 1) {
    if (kind === 'fork' && match.kind === 'fork') {
      return { kind: 'rotated', next: fork(state, next, now) };
    }
    if (kind === 'soft' && match.kind === 'current') {
      return { kind: 'rotated', next: rotateSoftly(match.next, token, next, now) };
    }
    // Whoever asks for it has shown a right to the session that is not its token.
    if (kind === 'reissue' || (kind === 'hard' && match.kind === 'current')) {
      return { kind: 'rotated', next: rotateHard(next, now, rules) };
    }
  }
  const successor = match.kind === 'predecessor' ? match.successor : undefined;
  return { kind: 'lost', ...(successor !== undefined && { successor }) };
}
