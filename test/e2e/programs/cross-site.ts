/**
 * An application that pages of other sites would like to use, and requests as they make them.
 */
import { All, Controller, Get, HttpCode, Param, Post, UseGuards } from '@nestjs/common';
import type { INestApplication } from '@nestjs/common';
import {
  CurrentSession,
  Public,
  RequestSession,
  SessionGuard,
  SessionModule,
  type SessionModuleOptions,
  SessionService,
  memoryStore,
} from '../../../src/index.js';
import { type FaultyStore, withFaults } from '../../../src/testing/index.js';
import { type Adapter, SECRET } from '../../support/app.js';
import { OWN_HOST } from '../../support/origins.js';
import { LogKeeper, listen } from './application.js';
import { type RawAnswer, RawConnection } from './raw-http.js';

/** Everything that a handler can do with its session and that begins without one, too. */
export const USES: Readonly<Record<string, (session: RequestSession) => Promise<unknown>>> = {
  login: (session) => session.login('alice'),
  loginOverSession: (session) => session.login('bob', { remember: true }),
  logout: (session) => session.logout(),
  set: (session) => session.set('colour', 'red'),
  setMany: (session) => session.set({ colour: 'red', size: 3 }),
  increment: (session) => session.increment('count'),
  append: (session) => session.append('list', 1),
  update: (session) => session.update('text', () => 'x'),
  completeLogin: (session) => session.completeLogin('nskt_none', 'none'),
};

/** What needs a session: without one it does nothing, or is refused for that reason. */
export const NEEDS_SESSION: Readonly<
  Record<string, (session: RequestSession) => Promise<unknown>>
> = {
  get: (session) => session.get('colour'),
  all: (session) => session.all(),
  delete: (session) => session.delete('colour'),
  isActive: (session) => session.isActive(),
  timeLeft: (session) => session.timeLeft(),
  resolve: (session) => session.resolve(),
  rotate: (session) => session.rotate(),
  elevate: (session) => session.elevate({ methods: ['otp'] }),
  impersonate: (session) => session.impersonate('mallory'),
  credentialChanged: (session) => session.credentialChanged(),
  devices: (session) => session.devices(),
  revokeOthers: (session) => session.revokeOthers(),
  revokeAll: (session) => session.revokeAll(),
};

@Controller()
@UseGuards(SessionGuard)
export class TargetController {
  /** Requests that reached a handler. */
  reached = 0;

  @All('act')
  @HttpCode(200)
  act(): object {
    this.reached += 1;
    return {};
  }

  /** Of no concern to the session. */
  @Public()
  @Post('hook')
  @HttpCode(200)
  hook(): object {
    this.reached += 1;
    return {};
  }

  @Public()
  @Post('use/:what')
  @HttpCode(200)
  async use(
    @Param('what') what: string,
    @CurrentSession() session: RequestSession,
  ): Promise<object> {
    await { ...USES, ...NEEDS_SESSION }[what]?.(session);
    return {};
  }

  @Public()
  @Post('bearer')
  @HttpCode(200)
  async bearer(@CurrentSession() session: RequestSession): Promise<object> {
    const { token } = await session.login('alice', { carrier: 'bearer' });
    return { length: token.reveal().length };
  }

  @Public()
  @Get('csrf')
  async csrf(@CurrentSession() session: RequestSession): Promise<object> {
    return { token: (await session.csrfToken()) ?? null };
  }

  /** A change of privilege, and the token for what comes after it in the same answer. */
  @Post('change/:what')
  @HttpCode(200)
  async change(
    @Param('what') what: string,
    @CurrentSession() session: RequestSession,
  ): Promise<object> {
    await { ...USES, ...NEEDS_SESSION }[what]?.(session);
    return { token: await session.csrfToken() };
  }
}

export interface Target {
  readonly app: INestApplication;
  readonly port: number;
  readonly url: string;
  readonly service: SessionService;
  readonly controller: TargetController;
  readonly store: FaultyStore;
  readonly logger: LogKeeper;
  /** All calls of the store so far. */
  storeCalls(): number;
  /** A cookie of a new session of this user. */
  cookieOf(userId: string): Promise<string>;
  /** The token of a new session of this user, for `Authorization`. */
  bearerOf(userId: string): Promise<string>;
  /** One request over a connection that stays open, to `app.example.com`. */
  send(request: TargetRequest): Promise<RawAnswer>;
  close(): Promise<void>;
}

export interface TargetRequest {
  /** @defaultValue `POST` */
  readonly method?: string;
  /** @defaultValue `/act` */
  readonly path?: string;
  readonly host?: string;
  readonly cookie?: string | undefined;
  readonly bearer?: string;
  readonly origin?: string | undefined;
  readonly site?: string | undefined;
  /** Other header lines. */
  readonly headers?: readonly string[];
}

export async function startTarget(
  adapter: Adapter,
  session: SessionModuleOptions = {},
  trustProxy?: string | number | string[],
): Promise<Target> {
  const store = withFaults(memoryStore());
  const logger = new LogKeeper();
  const options = { secret: SECRET, store, cleanup: false, ...session } as const;
  const application = await listen(
    adapter,
    { imports: [SessionModule.forRoot(options)], controllers: [TargetController] },
    {
      logger,
      // The type knows no number, although fastify takes one (and then trusts nobody).
      ...(trustProxy !== undefined && { fastify: { trustProxy: trustProxy as string } }),
      prepare: (app) => prepare(app, adapter, trustProxy),
    },
  );
  const { app, port, url } = application;
  const service = app.get(SessionService);
  const connection = await RawConnection.open(port);
  const tokenOf = async (userId: string): Promise<string> => {
    const { token } = await service.create(userId);
    return token.token.reveal();
  };
  return {
    app,
    port,
    url,
    service,
    store,
    logger,
    controller: app.get(TargetController),
    storeCalls: () => Object.values(store.calls).reduce((sum, count) => sum + count, 0),
    cookieOf: async (userId) => `__Host-sid=${await tokenOf(userId)}`,
    bearerOf: tokenOf,
    send: (request) => connection.send(rawOf(request)),
    close: async () => {
      connection.close();
      await application.close();
    },
  };
}

function prepare(app: INestApplication, adapter: Adapter, trustProxy: unknown): void {
  const instance = app.getHttpAdapter().getInstance() as {
    set(name: string, value: unknown): void;
    addHttpMethod(method: string, options: object): void;
  };
  if (adapter === 'fastify') instance.addHttpMethod('PURGE', { hasBody: true });
  else if (trustProxy !== undefined) instance.set('trust proxy', trustProxy);
}

function rawOf(request: TargetRequest): Parameters<RawConnection['send']>[0] {
  const { method = 'POST', path = '/act', host = OWN_HOST, headers = [] } = request;
  const line = (name: string, value: string | undefined): string[] =>
    value === undefined ? [] : [`${name}: ${value}`];
  return {
    method,
    path,
    host,
    headers: [
      ...line('Cookie', request.cookie),
      ...line('Authorization', request.bearer && `Bearer ${request.bearer}`),
      ...line('Origin', request.origin),
      ...line('Sec-Fetch-Site', request.site),
      // Without a body fastify refuses a method that has one unless this says so.
      ...(method === 'GET' || method === 'HEAD' ? [] : ['Content-Length: 0']),
      ...headers,
    ],
  };
}

/** The body of an answer in JSON. */
export function bodyOf(answer: RawAnswer): Record<string, unknown> {
  return JSON.parse(answer.body) as Record<string, unknown>;
}
