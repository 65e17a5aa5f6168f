/**
 * What clients send that no browser would: floods, forgeries, other spellings. On both adapters, as
 * bytes over keep-alive connections.
 */
import { describe, expect, it } from '@jest/globals';
import { ADAPTERS } from '../support/app.js';
import { useClosing } from './applications.kit.js';
import { NAME, forge, useBench } from './hostile.kit.js';
import { RawConnection, type RawRequest, valuesOf } from './programs/raw-http.js';

describe.each(ADAPTERS)('hostile clients on %s', (adapter) => {
  const keep = useClosing();
  const start = useBench(adapter);

  it('T-06, Q-01: 10,000 requests without, with forged and with malformed cookies cost no store call', async () => {
    const bench = await start();
    const genuine = await bench.tokenOf('alice');
    const paths = ['/me', '/public', '/who'];
    const requests = Array.from({ length: 10_000 }, (_, i): RawRequest => {
      const cookie = [undefined, forge(genuine, i), malform(genuine, i)][i % 3];
      return {
        path: paths[Math.floor(i / 3) % paths.length] ?? '',
        headers: cookie === undefined ? [] : [`Cookie: a=1; ${NAME}=${cookie}; b=2`],
      };
    });
    const bodies = new Set<string>();
    const seen = new Map<string, number>();
    const calls = await bench.callsDuring(async () => {
      const connections: RawConnection[] = [];
      for (let c = 0; c < 8; c++) connections.push(keep(await RawConnection.open(bench.port)));
      await Promise.all(
        connections.map(async (connection, c) => {
          const own = requests.filter((_, i) => i % connections.length === c);
          for (let at = 0; at < own.length; at += 25) {
            const batch = own.slice(at, at + 25);
            const answers = await Promise.all(connection.pipeline(batch));
            for (const [i, answer] of answers.entries()) {
              const what = `${batch[i]?.path} ${answer.status} ${valuesOf(answer, 'set-cookie').length}`;
              seen.set(what, (seen.get(what) ?? 0) + 1);
              if (answer.status === 401) bodies.add(answer.body);
            }
          }
        }),
      );
    });
    expect([...seen.keys()].toSorted()).toEqual(['/me 401 0', '/public 200 0', '/who 200 0']);
    expect([...seen.values()].reduce((a, b) => a + b)).toBe(10_000);
    expect(calls).toBe(0);
    // L-05: nothing tells a forged from a malformed from a missing token.
    expect(bodies.size).toBe(1);
    expect((await bench.service.stats()).created).toBe(1);
    const good = await bench.send({ path: '/me', headers: [`Cookie: ${NAME}=${genuine}`] });
    expect(good.status).toBe(200);
  });

  it('T-06: a flood of forged bearer tokens costs no store call', async () => {
    const bench = await start({ bearer: true });
    const genuine = await bench.tokenOf('alice');
    const connection = keep(await RawConnection.open(bench.port));
    const statuses = new Set<number>();
    const calls = await bench.callsDuring(async () => {
      for (let at = 0; at < 1_000; at += 50) {
        const requests = Array.from({ length: 50 }, (_, i) => ({
          path: '/me',
          headers: [`Authorization: Bearer ${i % 2 ? forge(genuine, i) : malform(genuine, i)}`],
        }));
        const answers = await Promise.all(connection.pipeline(requests));
        answers.forEach(({ status }) => statuses.add(status));
      }
    });
    expect([...statuses]).toEqual([401]);
    expect(calls).toBe(0);
  });

  it('T-05: of all spellings of a genuine token only the one is accepted', async () => {
    const bench = await start({ bearer: true });
    const token = await bench.tokenOf('alice');
    const spellings = aliases(token);
    const answers: string[] = [];
    const calls = await bench.callsDuring(async () => {
      for (const [what, spelling] of Object.entries(spellings)) {
        for (const header of [`Cookie: ${NAME}=${spelling}`, `Authorization: Bearer ${spelling}`]) {
          const { status } = await bench.send({ path: '/me', headers: [header] });
          if (status !== 401) answers.push(`${what} in ${header.slice(0, 6)}: ${status}`);
        }
      }
    });
    expect(answers).toEqual([]);
    expect(calls).toBe(0);
  });

  it('C-10: cookie names match byte for byte; only blanks around them are trimmed', async () => {
    const bench = await start();
    const token = await bench.tokenOf('alice');
    const names = [
      `\xA0${NAME}`,
      `${NAME}\xA0`,
      `\x85${NAME}`,
      `\xE2\x80\x80${NAME}`,
      NAME.toLowerCase(),
      NAME.toUpperCase(),
      '%5f_Host-sid',
      `=${NAME}`,
      `$Version=1,${NAME}`,
      `"${NAME}"`,
      '__Host-si',
      `${NAME}2`,
      'sid',
    ];
    const statuses = await Promise.all(
      names.map(async (name) => {
        const headers = [`Cookie: ${name}=${token}`];
        return (await bench.send({ path: '/me', headers })).status;
      }),
    );
    expect(statuses).toEqual(names.map(() => 401));
    for (const line of [`Cookie: ${NAME} = ${token}`, `Cookie:\t${NAME}=${token}\t; a=b`]) {
      expect((await bench.send({ path: '/me', headers: [line] })).status).toBe(200);
    }
  });

  it('Q-04: a header of 16 KB is read, a longer one is refused by Node', async () => {
    const bench = await start();
    const good = await bench.tokenOf('alice');
    const fill = (bytes: number): string =>
      Array.from({ length: Math.floor(bytes / 8) }, (_, i) => `c${String(i).padStart(4, '0')}=`)
        .join('; ')
        .slice(0, bytes);
    const ask = (padding: number) =>
      bench.send({
        path: '/me',
        headers: [`Cookie: ${fill(padding)}; ${NAME}=${good}`],
      });
    expect((await ask(15_900)).status).toBe(200);
    expect((await ask(17_000)).status).toBe(431);
    const oneValue = await bench.send({
      path: '/me',
      headers: [`Cookie: x=${'y'.repeat(15_900)}; ${NAME}=${good}`],
    });
    expect(oneValue.status).toBe(200);
  });
});

function malform(genuine: string, i: number): string {
  const broken = [
    '',
    'x',
    genuine.slice(0, i % 100),
    `${genuine}A`,
    `${genuine}=`,
    genuine.slice(4),
    `%6e${genuine.slice(1)}`,
    `"${genuine}"`,
    genuine.toUpperCase(),
    genuine.replace('nsk_', 'nsk-'),
    `s:${genuine}.${'A'.repeat(43)}`,
    `${genuine.slice(0, 50)}\xE9${genuine.slice(51)}`,
    'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9.',
    '__proto__',
    'nsk_'.repeat(25),
    `nsk_${'/'.repeat(96)}`,
    'A'.repeat(2_000),
  ];
  return broken[i % broken.length] ?? '';
}

/** Other texts that a lenient decoder would take for the same bytes. */
function aliases(token: string): Record<string, string> {
  const body = token.slice(4);
  return {
    'a quoted value': `"${token}"`,
    padding: `${token}=`,
    'more padding': `${token}====`,
    'an inserted !': `${token.slice(0, 40)}!${token.slice(40)}`,
    'an inserted .': `${token.slice(0, 40)}.${token.slice(40)}`,
    'a percent-encoded character': `%${token.charCodeAt(0).toString(16)}${token.slice(1)}`,
    'a doubled prefix': `nsk_${token}`,
    'a missing prefix': body,
    'a prefix in capitals': `NSK_${body}`,
    'swapped case': `nsk_${body.split('').map(swapCase).join('')}`,
    'a space inside': `${token.slice(0, 40)} ${token.slice(40)}`,
    'a no-break space in front': `\xA0${token}`,
    'a no-break space behind': `${token}\xA0`,
    'a byte order mark in front': `\xEF\xBB\xBF${token}`,
    'something behind a comma': `${token},x`,
    'a second token behind a comma': `${token},${token}`,
  };
}

function swapCase(letter: string): string {
  return letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase();
}
