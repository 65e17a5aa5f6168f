/**
 * The module more than once: in one application, in two of them, and in a process of its own.
 */
import { Module, type ModuleMetadata } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import { describe, expect, it } from '@jest/globals';
import {
  SessionConfigError,
  SessionModule,
  SessionService,
  SessionSweepTask,
  memoryStore,
} from '../../src/index.js';
import { AccountController, ADAPTERS, SECRET } from '../support/app.js';
import { quiet, useApplications } from './applications.kit.js';
import { create } from './programs/application.js';
import { runProgram } from './programs/child.js';

describe.each(ADAPTERS)('SessionModule on %s', (adapter) => {
  const start = useApplications(adapter);

  it('registered twice is an error that says so, wherever the second one is', async () => {
    @Module({ imports: [SessionModule.forRoot(quiet())] })
    class FeatureModule {}
    const module = { imports: [SessionModule.forRoot(quiet()), FeatureModule] };
    const error = await create(adapter, module).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(SessionConfigError);
    expect((error as SessionConfigError).message).toMatch(/registered twice[^]*once/);
    const mixed = {
      imports: [
        SessionModule.forRootAsync({ isGlobal: false, useFactory: () => quiet() }),
        FeatureModule,
      ],
    };
    await expect(create(adapter, mixed)).rejects.toThrow('registered twice');
  });

  it('one registration that two modules import is one', async () => {
    const session = SessionModule.forRoot(quiet());
    @Module({ imports: [session] })
    class FirstModule {}
    @Module({ imports: [session] })
    class SecondModule {}
    const { app } = await start({ imports: [session, FirstModule, SecondModule] });
    expect((await app.get(SessionService).stats()).active).toBe(0);
  });

  it('two applications in one process are strangers, and one outlives the other', async () => {
    const imports = (): ModuleMetadata => ({
      imports: [
        ScheduleModule.forRoot(),
        SessionModule.forRoot({ secret: SECRET, store: memoryStore() }),
      ],
      controllers: [AccountController],
    });
    const [first, second] = [await start(imports()), await start(imports())];
    await first.client.login('alice');
    second.client.cookies = first.client.cookies;
    expect((await second.client.get('/me')).status).toBe(401);
    expect((await first.client.get('/me')).status).toBe(200);
    expect((await second.app.get(SessionService).stats()).created).toBe(0);
    const events: unknown[] = [];
    second.app.get(SessionService).on('session.created', (event) => void events.push(event));
    await first.client.login('bob');
    expect(events).toEqual([]);

    await first.close();
    await second.client.login('carol');
    expect((await second.client.get('/me')).status).toBe(200);
    expect(second.app.get(SessionSweepTask).state.schedule).toBe('scheduled');
  });

  it('two applications on one store share their sessions', async () => {
    const store = memoryStore();
    const metadata = (): ModuleMetadata => ({
      imports: [SessionModule.forRoot(quiet({ store }))],
      controllers: [AccountController],
    });
    const [first, second] = [await start(metadata()), await start(metadata())];
    await first.client.login('alice');
    second.client.cookies = first.client.cookies;
    expect((await second.client.get('/me')).status).toBe(200);
    await second.client.post('/logout');
    expect((await first.client.get('/me')).body).toMatchObject({ code: 'ERR_SESSION_ENDED' });
  });
});

describe('SessionModule in a process of its own', () => {
  const NEEDED = /secret[^]*store[^]*ScheduleModule\.forRoot\(\)/;

  it('boots bare in development, with one warning', async () => {
    const { code, stdout, stderr } = await runProgram('bare-application');
    expect(stderr + stdout).toContain('booted');
    expect((stderr + stdout).match(/\bWARN\b/g)).toHaveLength(1);
    expect(stderr + stdout).not.toMatch(/\bERROR\b/);
    expect(code).toBe(0);
  });

  it('G-02: refuses to boot bare with NODE_ENV=production, and lists what to add in one error', async () => {
    const { code, stdout, stderr } = await runProgram('bare-application', {
      env: { NODE_ENV: 'production' },
    });
    expect(stdout).not.toContain('booted');
    expect(code).not.toBe(0);
    expect(stdout + stderr).toMatch(NEEDED);
    expect((stdout + stderr).match(/the session options are not usable/g)).toHaveLength(1);
  });

  it('T-12: a weak secret is refused without showing it', async () => {
    for (const secret of ['changeme', 'secret', 'a'.repeat(32), '0123456789abcdef']) {
      const { code, stdout, stderr } = await runProgram('bare-application', {
        args: [JSON.stringify({ secret, cleanup: false })],
        env: { NODE_ENV: 'development' },
      });
      expect([secret, code === 0]).toEqual([secret, false]);
      const output = (stdout + stderr).replaceAll('secret', '');
      expect(output.includes(secret)).toBe(false);
    }
  });

  it('the entry points load no optional package', async () => {
    for (const entry of ['index.js', 'testing/index.js']) {
      const path = new URL(`../../src/${entry}`, import.meta.url).href;
      const { stdout, stderr, code } = await runProgram('import-only', { args: [path] });
      expect([entry, stdout, stderr, code]).toEqual([entry, 'required: []\n', '', 0]);
    }
  });
});
