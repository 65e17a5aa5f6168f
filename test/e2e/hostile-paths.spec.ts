/**
 * F-04: no spelling of a path and no method reaches a guarded handler without a session.
 */
import {
  All,
  Controller,
  Get,
  Injectable,
  Module,
  Post,
  Sse,
  UseGuards,
  VERSION_NEUTRAL,
  VersioningType,
} from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type Observable, of } from 'rxjs';
import {
  CurrentSession,
  Public,
  RequestSession,
  SessionGuard,
  SessionModule,
  memoryStore,
} from '../../src/index.js';
import { withFaults } from '../../src/testing/index.js';
import { ADAPTERS, SECRET } from '../support/app.js';
import { type Application, listen } from './programs/application.js';
import { type RawRequest, sendRaw, valuesOf } from './programs/raw-http.js';

/** What a handler says: no answer without a session may contain it. */
const SECRET_ANSWER = 'the-handler-answered';

@Injectable()
class Handled {
  count = 0;
}

@Injectable()
class SecretRoutes {
  constructor(readonly handled: Handled) {}

  answer(): { readonly answer: string } {
    this.handled.count += 1;
    return { answer: SECRET_ANSWER };
  }
}

@Controller({ version: VERSION_NEUTRAL })
@UseGuards(SessionGuard)
class GuardedController extends SecretRoutes {
  @Get('secret')
  read(): object {
    return this.answer();
  }

  @Post('secret')
  write(): object {
    return this.answer();
  }

  @All('any')
  any(): object {
    return this.answer();
  }

  @Get('nested/:id/deep')
  nested(): object {
    return this.answer();
  }

  @Sse('stream')
  stream(): Observable<object> {
    return of({ data: this.answer() });
  }

  @Get('versioned')
  versioned(): object {
    return this.answer();
  }

  @Public()
  @Post('login')
  async login(@CurrentSession() session: RequestSession): Promise<object> {
    await session.login('alice');
    return {};
  }
}

@Controller({ path: 'versioned', version: '1' })
@UseGuards(SessionGuard)
class VersionedController extends SecretRoutes {
  @Get()
  read(): object {
    return this.answer();
  }
}

const VARIANTS = [
  '/secret',
  '/secret/',
  '/secret//',
  '//secret',
  '///secret',
  '/./secret',
  '/x/../secret',
  '/SECRET',
  '/Secret/',
  '/secret?',
  '/secret?a=b',
  '/secret??x',
  '/secret%2f',
  '/secret%2F..',
  '/%2fsecret',
  '/%73ecret',
  '/%73%65%63%72%65%74',
  '/secre%74/',
  '/secret%20',
  '/secret%00',
  '/secret.json',
  '/secret;a=b',
  '/secret/;a=b',
  '/secret%3Ba=b',
  '/secret\\',
  '/%5csecret',
  '/secret%',
  '/secret/%2e',
  '/secret/.',
  '/any',
  '/any/',
  '/ANY',
  '/nested/1/deep',
  '/nested/%2f/deep',
  '/nested//deep',
  '/nested/..%2f/deep/',
  '/NESTED/1/DEEP',
  '/stream',
  '/stream/',
  '/v1/versioned',
  '/V1/versioned/',
  '/versioned',
  'http://127.0.0.1/secret',
  'http://evil.example/secret',
];

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'QUERY'];

describe.each(ADAPTERS)('paths of guarded routes on %s', (adapter) => {
  const running: Application[] = [];
  afterEach(async () => {
    await Promise.all(running.splice(0).map((app) => app.close()));
  });

  const start = async (prefix?: string) => {
    const store = withFaults(memoryStore());
    const session = SessionModule.forRoot({ secret: SECRET, store, cleanup: false });
    @Module({
      imports: [session],
      controllers: [GuardedController, VersionedController],
      providers: [Handled],
    })
    class PathsModule {}
    const app = await listen(
      adapter,
      { imports: [PathsModule] },
      {
        // As lenient as a router can be.
        fastify: {
          routerOptions: {
            ignoreTrailingSlash: true,
            ignoreDuplicateSlashes: true,
            caseSensitive: false,
          },
        },
        prepare: (app_) => {
          app_.enableVersioning({ type: VersioningType.URI });
          if (prefix) app_.setGlobalPrefix(prefix);
        },
      },
    );
    running.push(app);
    return { app, store, handled: app.app.get(Handled, { strict: false }) };
  };

  const requestsFor = (prefix: string): RawRequest[] =>
    VARIANTS.flatMap((path) =>
      METHODS.map((method) => ({
        method,
        path: path.startsWith('/') ? prefix + path : path,
        headers: ['X-HTTP-Method-Override: GET', 'X-Original-URL: /login', 'Connection: close'],
      })),
    );

  it.each(['', '/api'])(
    'F-04: no method and no spelling reaches a handler without a session, prefix "%s"',
    async (prefix) => {
      const { app, handled, store } = await start(prefix);
      const requests = requestsFor(prefix);
      const surprises: string[] = [];
      let refused = 0;
      for (let at = 0; at < requests.length; at += 50) {
        await Promise.all(
          requests.slice(at, at + 50).map(async (request) => {
            const answer = await sendRaw(app.port, request);
            const is = (...statuses: number[]): boolean => statuses.includes(answer.status);
            const isCalm =
              is(400, 401, 404, 405, 501) || (is(200, 204) && request.method === 'OPTIONS');
            if (!isCalm || answer.body.includes(SECRET_ANSWER)) {
              surprises.push(`${request.method} ${request.path}: ${answer.status}`);
            }
            if (is(401)) refused += 1;
            if (valuesOf(answer, 'set-cookie').length > 0) surprises.push('a cookie');
          }),
        );
      }
      expect(surprises).toEqual([]);
      expect(handled.count).toBe(0);
      expect(store.calls.resolve).toBe(0);
      // The variants are not all beside the point: many do reach a guarded route.
      expect(refused).toBeGreaterThan(60);
    },
  );

  it('F-04: the same spellings with a session show that the routes are there', async () => {
    const { app, handled } = await start();
    const login = await sendRaw(app.port, { method: 'POST', path: '/login' });
    const [cookie = ''] = valuesOf(login, 'set-cookie');
    const headers = [`Cookie: ${cookie.slice(0, cookie.indexOf(';'))}`];
    for (const path of ['/secret', '/secret/', '/SECRET', '/any', '/v1/versioned', '/stream']) {
      const answer = await sendRaw(app.port, { path, headers });
      expect([path, answer.status]).toEqual([path, 200]);
      expect(answer.body).toContain(SECRET_ANSWER);
    }
    expect(handled.count).toBe(6);
    const head = await sendRaw(app.port, { method: 'HEAD', path: '/secret', headers });
    expect(head.status).toBe(200);
  });
});
