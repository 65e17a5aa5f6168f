/**
 * Acting in another user's name over HTTP: who is seen, how it ends, and what is left.
 */
import { expect } from '@jest/globals';
import { SessionService } from '../../src/index.js';
import { Client } from '../support/client.js';
import type { Scenario } from '../support/scenarios.js';
import { type Spans, complete } from './privileges.kit.js';

export function describeImpersonation(scenario: Scenario, spans: Spans): void {
  scenario(
    'L-10: impersonation is a session of its own that knows who acts, without freshness',
    async ({ start }) => {
      const { url } = await start();
      const [admin, bob] = [new Client(url), new Client(url)];
      await bob.login('bob');
      await complete(admin, 'root');
      const before = admin.clone();
      expect((await admin.post('/p/act-as/bob')).status).toBe(204);
      expect((await before.get('/me')).status).toBe(401);
      expect((await admin.get('/me')).body).toMatchObject({ userId: 'bob' });
      expect((await admin.post('/p/transfer')).body).toMatchObject({ code: 'ERR_SESSION_STEP_UP' });
      const devices = (await bob.get('/devices')).body as { actor?: { userId: string } }[];
      expect(devices.map(({ actor }) => actor?.userId)).toEqual(['root', undefined]);
      expect((await admin.post('/p/act-as/carol')).status).toBe(500); // not from a borrowed session
      const borrowed = admin.clone();
      expect((await admin.post('/p/stop')).body).toEqual({ back: true });
      expect((await admin.get('/me')).body).toMatchObject({ userId: 'root' });
      expect((await borrowed.get('/me')).status).toBe(401);
      expect((await before.get('/me')).status).toBe(401);
      expect((await bob.get('/me')).status).toBe(200);
    },
  );

  scenario(
    'L-10: impersonation ends with the session of the actor, and after its own time',
    async ({ start, passTime }) => {
      const { app, url } = await start();
      const sessions = app.get(SessionService);
      const admin = new Client(url);
      await complete(admin, 'root');
      await admin.post('/p/act-as/bob');
      await sessions.revokeUser('root');
      expect((await admin.get('/me')).body).toMatchObject({ code: 'ERR_SESSION_REVOKED' });
      expect((await sessions.list('bob')).sessions).toEqual([]);
      await complete(admin, 'root');
      await admin.post('/p/act-as/bob');
      // In use, so that it is no idle timeout.
      for (const part of [0.1, 0.91]) {
        expect((await admin.get('/me')).status).toBe(200);
        await passTime(spans.impersonation * part);
      }
      expect((await admin.get('/me')).body).toMatchObject({ code: 'ERR_SESSION_ABSOLUTE' });
    },
  );

  scenario('L-10: a logout in another name leaves no session of the actor', async ({ start }) => {
    const { app, url } = await start({ concurrency: { max: 1, atLimit: 'reject' } });
    const sessions = app.get(SessionService);
    const admin = new Client(url);
    await complete(admin, 'root');
    await admin.post('/p/act-as/bob');
    const borrowed = admin.clone();
    expect((await admin.post('/logout')).status).toBe(204);
    expect(admin.cookies).toBe('');
    for (const user of ['root', 'bob']) {
      const { sessions: live, ended } = await sessions.list(user);
      expect({ live, reasons: ended.map(({ reason }) => reason) }).toEqual({
        live: [],
        reasons: ['logout'],
      });
    }
    expect((await borrowed.get('/me')).status).toBe(401);
    await complete(admin, 'root'); // there is room for it
  });
}
