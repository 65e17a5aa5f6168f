import type {
  EndedSession,
  OwnLimits,
  SessionDevice,
  SessionId,
  SessionRecord,
} from '../../core/record.js';
import type { NextToken, PresentedToken } from '../../core/rotation.js';
import type { CreateRequest, ResolveReply, UserPlace } from '../../core/store.js';

/** The moment a test is about went by before the test got there. */
export class Stalled extends Error {
  override name = 'Stalled';
}

export type TestUser = UserPlace & { readonly userId: string };

/** How a test wants its session; everything else is chosen for it. */
export interface LoginOptions {
  readonly id?: SessionId;
  readonly token?: NextToken;
  readonly user?: TestUser;
  readonly anonymous?: boolean;
  readonly limitClass?: string;
  readonly ownLimits?: OwnLimits;
  readonly device?: SessionDevice;
  readonly fields?: Readonly<Record<string, string>>;
  readonly concurrency?: NonNullable<CreateRequest['concurrency']>;
  readonly replaces?: NonNullable<CreateRequest['replaces']>;
  readonly epoch?: number;
  readonly verifiedAt?: number;
  readonly evicts?: SessionId;
  readonly claims?: string;
  readonly notAfter?: number;
}

/** A session that was created, and its token as a client presents it. */
export interface Login {
  readonly id: SessionId;
  readonly user: TestUser;
  readonly token: PresentedToken;
  readonly record: SessionRecord;
  readonly ended: readonly EndedSession[];
  readonly request: CreateRequest;
}

export const TRAITS = 'traits-of-one-client__';
export const OTHER_TRAITS = 'traits-of-another-one_';

/** A verdict without its particulars. */
export function inWords(reply: ResolveReply): string {
  if (reply.status === 'active') return `active ${reply.match}`;
  return reply.status === 'ended' ? `ended ${reply.reason}` : reply.status;
}
