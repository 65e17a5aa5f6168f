/**
 * What went wrong, told without anything that may not leave: a driver's error carries the command
 * with its arguments, the address of the server and sometimes the password. Nothing of it is passed
 * on but a word from the tables below.
 */
import { SessionStoreError } from '../../core/errors.js';

/** A failure of the driver or the server, reduced to what may be told. */
export interface RedisFault {
  /** One of the words below, or a code of Node or OpenSSL such as `ECONNREFUSED`. */
  readonly word: string;
  /**
   * - `refused`: the server answered that it did not run the command
   * - `unsent`: it never left this process
   * - `failed`: the server answered with another error; what it did so far stands
   * - `lost`: the connection ended before an answer came; whether it ran is not known
   */
  readonly kind: 'refused' | 'unsent' | 'failed' | 'lost';
}

/** Answers of a server that ran nothing, and what they mean. */
const REFUSALS: Readonly<Record<string, string>> = {
  ASK: 'the slot is being moved',
  BUSY: 'the server is busy with a script',
  CLUSTERDOWN: 'the cluster is down',
  CROSSSLOT: 'the keys of a command lie in several slots',
  LOADING: 'the server is still loading its data',
  MASTERDOWN: 'the server is a replica that has lost its master',
  MISCONF: 'the server cannot write to its disk and takes no changes',
  MOVED: 'the slot has been moved',
  NOAUTH: 'the server wants a user name and a password',
  NOPERM: 'the user lacks a right: compare its rules with redisAclRules()',
  NOREPLICAS: 'the server has fewer replicas than it wants for a change',
  NOSCRIPT: 'the server does not know the script',
  OOM: 'the server is out of memory',
  READONLY: 'the server is a replica',
  TRYAGAIN: 'the slot is being moved',
  UNBLOCKED: 'the server was replaced before the replicas confirmed the change',
  WRONGPASS: 'user name or password are wrong',
};

/** Refusals that end when a slot has moved, which takes as long as its keys need. */
const MOVING = new Set(['ASK', 'MOVED', 'TRYAGAIN']);

/** Refusals that end when somebody is promoted or has loaded the data, or when people act. */
const PASSING = new Set(['CLUSTERDOWN', 'LOADING', 'MASTERDOWN', 'READONLY', 'UNBLOCKED']);

/** What no further attempt mends, only a change of the set-up. */
const LASTING = new Set(['NOAUTH', 'NOPERM', 'WRONGPASS']);

/** Answers of a server that may have run a part. */
const ANSWERS: Readonly<Record<string, string>> = {
  ERR: 'the server answered with an error',
  WRONGTYPE: 'a key holds something that is not ours',
};

/** Words of our own and of the network. */
const OTHERS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens at its address',
  ECONNRESET: 'the connection was lost',
  ENOTFOUND: 'its name is not known',
  EPIPE: 'the connection was lost',
  ETIMEDOUT: 'it does not answer',
  closed: 'the connection was lost',
  clients: 'the server has as many clients as it takes',
  ended: 'the client was closed',
  unready: 'there is no connection',
};

const FOREWORD = /^(?:ast error: |Ready check failed: |\w*Error: )+/;

/** Reads the error of a driver; never throws, whatever it is given. */
export function faultOf(error: unknown): RedisFault {
  try {
    return classify(error);
  } catch {
    return { word: 'ERR', kind: 'lost' };
  }
}

/** Whether a slot is on its way from one master to another; such a command has not run. */
export function isMoving({ word, kind }: RedisFault): boolean {
  return kind === 'refused' && MOVING.has(word);
}

/** Whether it is worth trying once more; such a command has not run, or may run again. */
export function isPassing({ word, kind }: RedisFault): boolean {
  return kind === 'unsent' || (kind === 'refused' && PASSING.has(word));
}

/** Whether waiting is pointless. */
export function isLasting({ word }: RedisFault): boolean {
  return LASTING.has(word) || /^(ERR_(TLS|SSL)|CERT|DEPTH|SELF_SIGNED|UNABLE_TO)_/.test(word);
}

/** What the caller of the store gets: made anew, with nothing of the driver's error in it. */
export function storeErrorOf(fault: RedisFault): SessionStoreError {
  const { word } = fault;
  const why = REFUSALS[word] ?? ANSWERS[word] ?? OTHERS[word] ?? 'the connection failed';
  const code = /^[A-Z]/.test(word) ? ` (${word})` : '';
  return new SessionStoreError(`the session store failed: ${why}${code}`, {
    code: word === 'OOM' ? 'ERR_SESSION_STORE_FULL' : 'ERR_SESSION_STORE',
  });
}

export function timeoutError(ms: number): SessionStoreError {
  return new SessionStoreError(`the session store did not answer within ${ms} ms`, {
    code: 'ERR_SESSION_STORE_TIMEOUT',
  });
}

export function overloadError(): SessionStoreError {
  return new SessionStoreError(
    'the session store failed: too many calls are waiting for an answer',
  );
}

export function unconfirmedError(wanted: number, confirmed: number): SessionStoreError {
  return new SessionStoreError(
    `the session store made the change, but ${confirmed} of the ${wanted} replicas of waitReplicas ` +
      'confirmed it in time: it may be lost if the server fails now',
  );
}

function classify(error: unknown): RedisFault {
  if (typeof error !== 'object' || error === null) return { word: 'ERR', kind: 'lost' };
  const { message, code, lastNodeError } = error as {
    readonly message?: unknown;
    readonly code?: unknown;
    /** Of a cluster of which no node answers as it should. */
    readonly lastNodeError?: unknown;
  };
  if (lastNodeError !== undefined && lastNodeError !== null) {
    return { word: classify(lastNodeError).word, kind: 'unsent' };
  }
  const told = typeof message === 'string' ? classifyText(message) : undefined;
  if (told !== undefined) return told;
  const isCode = typeof code === 'string' && /^[A-Z][A-Z_]{2,60}$/.test(code);
  return { word: isCode ? code : 'closed', kind: 'lost' };
}

function classifyText(text: string): RedisFault | undefined {
  // ioredis puts its own words in front of what the server or the network said.
  const told = text.slice(text.lastIndexOf('Last error: ') + 1).replace(FOREWORD, '');
  const [word = ''] = /^[A-Z]{3,16}\b/.exec(told) ?? [];
  if (told.startsWith('ERR max number of clients')) return { word: 'clients', kind: 'refused' };
  // How Redis 7.0 words it when a script may not do what it does.
  if (/user executing the script can't/.test(told)) return { word: 'NOPERM', kind: 'failed' };
  if (word in REFUSALS) return { word, kind: 'refused' };
  if (word in ANSWERS) return { word, kind: 'failed' };
  if (/isn't (writeable|ready)/.test(text)) return { word: 'unready', kind: 'unsent' };
  const [, code] = /\b(E[A-Z]{4,}|EAI_AGAIN)\b/.exec(told) ?? [];
  return code === undefined ? undefined : { word: code, kind: 'lost' };
}
