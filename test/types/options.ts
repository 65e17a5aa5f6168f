/**
 * Compiled, never run: the options of the module, what its methods take, and what listeners get.
 */
import { Injectable } from '@nestjs/common';
import {
  type CreatedSession,
  type Duration,
  RequestSession,
  type SecretToken,
  SessionError,
  type SessionErrorCode,
  type SessionEvents,
  SessionModule,
  type SessionModuleAsyncOptions,
  type SessionModuleOptions,
  type SessionOptions,
  type SessionOptionsFactory,
  SessionRequests,
  SessionService,
  type UserId,
  memoryStore,
} from '../../src/index.js';
import type { Equal } from './equal.js';

export const durations: readonly Duration[] = [
  0,
  1_500,
  '500ms',
  '10s',
  '30m',
  '1.5h',
  '7d',
  '0s',
  '1e3s',
];
export const noDurations: readonly Duration[] = [
  // @ts-expect-error -- no unit
  '30',
  // @ts-expect-error -- weeks are not known
  '2w',
  // @ts-expect-error -- one unit only
  '1h30m',
  // @ts-expect-error -- units are abbreviated
  '30 minutes',
  // @ts-expect-error -- lower case
  '30M',
  // @ts-expect-error -- no number
  'm',
  // @ts-expect-error -- not a text and not a number
  10n,
];

export const options: readonly SessionModuleOptions[] = [
  {},
  { secret: 'x' },
  { secret: undefined }, // process.env.SESSION_SECRET
  { secret: ['new', new Uint8Array(32)] },
  { store: memoryStore(), timeouts: { idle: '30m', absolute: 1, touchInterval: 0 } },
  { timeouts: { remembered: { idle: '7d' }, classes: { kiosk: { absolute: '10m' } } } },
  { concurrency: { max: 3, atLimit: 'reject' } },
  { concurrency: { max: async ({ userId }) => userId.length, atLimit: () => 'reject' } },
  { timeouts: { classOf: ({ tenant, level }) => (level > 1 ? tenant : undefined) } },
  { cookie: { sameSite: 'strict', name: '__Host-shop' }, bearer: true, guard: 'global' },
  { cleanup: false, isGlobal: false },
  { cleanup: { cron: '*/5 * * * *', jitter: '10s', batch: 100, budget: '30s' } },
];
export const noOptions: readonly SessionModuleOptions[] = [
  // @ts-expect-error -- misspelt
  { secrets: 'x' },
  // @ts-expect-error -- not a duration
  { timeouts: { idle: '30 min' } },
  // @ts-expect-error -- misspelt
  { timeouts: { idel: '30m' } },
  // @ts-expect-error -- no such policy
  { concurrency: { atLimit: 'evict' } },
  // @ts-expect-error -- lower case
  { cookie: { sameSite: 'Lax' } },
  // @ts-expect-error -- Secure cannot be switched off
  { cookie: { secure: false } },
  // @ts-expect-error -- HttpOnly cannot be switched off
  { cookie: { httpOnly: false } },
  // @ts-expect-error -- one value only
  { guard: true },
  // @ts-expect-error -- the default is no value
  { cleanup: true },
  // @ts-expect-error -- the store itself, not what makes it
  { store: memoryStore },
  // @ts-expect-error -- the store itself, not its promise
  { store: Promise.resolve(memoryStore()) },
];

@Injectable()
class Settings implements SessionOptionsFactory {
  createSessionOptions(): SessionOptions {
    return { secret: 'x' };
  }
}

class NoSettings {
  create(): SessionOptions {
    return {};
  }
}

export const asyncOptions: readonly SessionModuleAsyncOptions[] = [
  { useFactory: () => ({}) },
  { useFactory: async () => ({ secret: 'x', guard: 'global' }) },
  { inject: [Settings], useFactory: (settings: Settings) => settings.createSessionOptions() },
  { inject: [{ token: 'x', optional: true }], useFactory: (secret?: string) => ({ secret }) },
  { useClass: Settings, isGlobal: false },
  { useExisting: Settings, imports: [] },
];
export const noAsyncOptions: readonly SessionModuleAsyncOptions[] = [
  // @ts-expect-error -- misspelt
  { useFactory: () => ({ timeouts: { idle: '30 min' } }) },
  // @ts-expect-error -- does not implement SessionOptionsFactory
  { useClass: NoSettings },
  // @ts-expect-error -- not a module option
  { useFactory: () => ({}), global: true },
];

export const modules = [
  SessionModule.forRoot(),
  SessionModule.forRoot({ secret: process.env['SESSION_SECRET'] }),
  SessionModule.forRootAsync({ useFactory: () => ({}) }),
];
// @ts-expect-error -- the asynchronous form says where the options come from
SessionModule.forRootAsync();

export async function useService(service: SessionService, session: RequestSession): Promise<void> {
  const users: UserId[] = ['alice', 42, 42n];
  for (const user of users) await service.create(user);
  // @ts-expect-error -- not a user id
  await service.create({ id: 1 });
  // @ts-expect-error -- not a user id
  await session.login(undefined);
  // @ts-expect-error -- nobody can make up a token
  await session.login('alice', { token: 'x' });

  const created: CreatedSession = await service.create('alice');
  void (true satisfies Equal<typeof created.token.token, SecretToken>);
  // @ts-expect-error -- a token is not a text; reveal() gives it
  const text: string = created.token.token;
  void text;

  const verdict = await service.resolve('x');
  if (verdict.status === 'active') verdict.session.get('x').catch(() => undefined);
  if (verdict.status === 'ended') void (true satisfies Equal<typeof verdict.reason, EndReasons>);
  // @ts-expect-error -- only an active one has a session
  void verdict.session;
  // @ts-expect-error -- nobody may be logged in
  const userId: string = session.userId;
  void userId;
}

type EndReasons = SessionEvents['session.ended']['reason'];

export function listen(service: SessionService): void {
  service.on('session.ended', ({ reason, duration, userId }) => {
    void (true satisfies Equal<typeof reason, EndReasons>);
    void (true satisfies Equal<typeof duration, number>);
    void (true satisfies Equal<typeof userId, string>);
  });
  service.on('session.created', async ({ sessionId }) => void (await Promise.resolve(sessionId)));
  // @ts-expect-error -- no such event
  service.on('session.expired', () => undefined);
  // @ts-expect-error -- no such property
  service.on('session.created', ({ reason }) => void reason);
  service.on('session.created', (event) => {
    // @ts-expect-error -- events are frozen
    event.userId = 'mallory';
  });
}

export function handle(error: unknown): SessionErrorCode | undefined {
  if (!(error instanceof SessionError)) return undefined;
  // @ts-expect-error -- the list of codes is closed
  if (error.code === 'ERR_SESSION_EXPIRED') return undefined;
  return error.code;
}

/** What express, fastify and Node call their requests. */
export function inMiddleware(
  requests: SessionRequests,
  express: {
    readonly request: import('express').Request;
    readonly response: import('express').Response;
  },
  node: {
    readonly request: import('node:http').IncomingMessage;
    readonly response: import('node:http').ServerResponse;
  },
): RequestSession[] {
  return [requests.of(express.request, express.response), requests.of(node.request, node.response)];
}
