/**
 * Puts the parts of the service together.
 */
import { Administration } from './administration.js';
import { limitsForReading } from './codec.js';
import type { SessionConfig } from './config.js';
import type { SessionEventBus } from './events.js';
import { FieldCipher } from './field-cipher.js';
import { SessionIssuer } from './issuer.js';
import { DevicePrivacy } from './privacy.js';
import { Privileges } from './privileges.js';
import type { EndedSession } from './record.js';
import { SessionResolver } from './resolver.js';
import { SessionRotator } from './rotator.js';
import { SessionWatch } from './session-watch.js';
import type { SessionContext } from './session.js';
import { SessionSignals } from './signals.js';
import { StoreAccess } from './store-access.js';
import type { SessionStore } from './store.js';
import { TokenCodec, type VerifiedToken } from './token.js';
import { Turns } from './turns.js';

/** What {@link SessionService} consists of. */
export interface ServiceParts {
  readonly config: SessionConfig;
  readonly events: SessionEventBus;
  readonly access: StoreAccess;
  readonly tokens: TokenCodec;
  readonly context: SessionContext;
  readonly issuer: SessionIssuer;
  readonly rotator: SessionRotator;
  readonly privileges: Privileges;
  /** Whether a text is a genuine token; forgeries are counted. */
  readonly verify: (text: unknown) => VerifiedToken | undefined;
  readonly resolver: SessionResolver;
  readonly administration: Administration;
  readonly watch: SessionWatch;
  /** Tells of the end of a user's session; of anonymous ones nobody is told. */
  readonly announceEnd: (ended: EndedSession) => void;
}

export function assemble(
  config: SessionConfig,
  store: SessionStore,
  events: SessionEventBus,
): ServiceParts {
  const access = new StoreAccess(store, config.settings, events.onStoreChange);
  const tokens = new TokenCodec(config.ring, config.audience);
  const announceEnd = announcer(events);
  const cipher = new FieldCipher(config.ring, config.encrypted);
  const context: SessionContext = {
    access,
    limits: config.fieldLimits,
    readingLimits: limitsForReading(config.fieldLimits, config.settings.maxSessionBytes),
    limitTable: config.settings.limits,
    events,
    cipher,
    turns: new Turns(),
    watch: (session, onEnd) => watch.watch(session, onEnd),
    invalidate: async (id) => {
      const reply = await access.call((to) => to.revoke({ id, reason: 'revoked' }));
      if (reply.status === 'revoked') announceEnd(reply.ended);
    },
  };
  const watch = new SessionWatch({ access, events, limitTable: config.settings.limits });
  const privacy = new DevicePrivacy(config.ring, config.privacy);
  const signals = new SessionSignals(config.signals, {
    privacy,
    events,
    now: () => access.knownNow ?? Date.now(),
    deadline: config.settings.deadline,
  });
  const issuer = new SessionIssuer(config, access, tokens, events, cipher, privacy, announceEnd);
  const rotator = new SessionRotator(config, access, tokens, events);
  const privileges = new Privileges(access, issuer, rotator, signals, events);
  const resolver = new SessionResolver(context, rotator, privileges, signals, announceEnd);
  const administration = new Administration(context, access, tokens, announceEnd);
  return {
    config,
    events,
    access,
    tokens,
    context,
    issuer,
    rotator,
    privileges,
    verify: (text) => {
      const token = tokens.verify(text);
      if (token === undefined) signals.countForgery(text);
      return token;
    },
    resolver,
    administration,
    watch,
    announceEnd,
  };
}

function announcer(events: SessionEventBus): (ended: EndedSession) => void {
  return ({ id, userId, reason, createdAt, endedAt }) => {
    if (userId === undefined) return;
    events.emit('session.ended', {
      eventId: `${id}:ended`,
      at: endedAt,
      sessionId: id,
      userId,
      reason,
      duration: endedAt - createdAt,
    });
  };
}
