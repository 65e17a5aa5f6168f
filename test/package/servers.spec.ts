import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Redis, type RedisOptions } from 'ioredis';
import { useRedis } from '../support/servers/hooks.js';
import { findServer } from '../support/servers/locate.js';
import { startRedis } from '../support/servers/redis.js';
import { until } from '../support/until.js';

/** Runs a piece of work over a connection of its own. */
async function talk<Answer>(
  url: string,
  work: (client: Redis) => Promise<Answer>,
  options: Pick<RedisOptions, 'tls'> = {},
): Promise<Answer> {
  const client = new Redis(url, {
    commandTimeout: 500,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    ...options,
  });
  client.on('error', () => {});
  try {
    return await work(client);
  } finally {
    client.disconnect();
  }
}

const ping = (client: Redis) => client.ping();

/** Not whether it listens: in front of a container something else always does. */
const answers = (url: string) =>
  talk(url, ping).then(
    () => true,
    () => false,
  );

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

describe.each([
  ['redis', /^(Redis [78]|Valkey)/],
  ['valkey', /^Valkey/],
] as const)('a %s server for the tests', (version, name) => {
  const server = useRedis({ version });

  it('answers and says what it is', async () => {
    expect(await talk(server().url, ping)).toBe('PONG');
    expect(server().name).toMatch(name);
  });

  it('is empty and keeps nothing on disk', async () => {
    await talk(server().url, async (client) => {
      expect(await client.dbsize()).toBe(0);
      expect(await client.config('GET', 'save')).toEqual(['save', '']);
      expect(await client.config('GET', 'appendonly')).toEqual(['appendonly', 'no']);
    });
  });

  it('answers nothing while it is frozen, and goes on where it was', async () => {
    await talk(server().url, async (client) => {
      await client.set('before', 'kept');
      await server().freeze();
      await expect(client.get('before')).rejects.toThrow('Command timed out');
      await server().thaw();
      expect(await client.get('before')).toBe('kept');
    });
  });

  it('is gone once it is killed, and comes back empty on the same port', async () => {
    const { url, pid } = server();
    await talk(url, (client) => client.set('before', 'lost'));
    await server().kill();
    expect(await answers(url)).toBe(false);
    await server().restart();
    expect(server().url).toBe(url);
    expect(server().pid).not.toBe(pid);
    expect(await talk(url, (client) => client.get('before'))).toBeNull();
  });

  it('can be killed and stopped while it is frozen', async () => {
    const other = await startRedis({ version });
    await other.freeze();
    await other.kill('SIGTERM');
    // It could not, if the old one still held the port.
    await other.restart();
    expect(await answers(other.url)).toBe(true);
    await other.freeze();
    await other.stop();
    expect(await answers(other.url)).toBe(false);
  });

  it('ends while a script runs', async () => {
    const other = await startRedis({ version });
    await talk(other.url, (client) => client.eval('while true do end', 0).catch(() => {}));
    await other.stop();
    expect(await answers(other.url)).toBe(false);
  });

  it('takes options of the server', async () => {
    const args = ['--maxmemory', '3mb', '--user', 'app', 'on', '>app-password', '~app:*', '+@all'];
    const other = await startRedis({ version, password: 'a password/@:', args });
    try {
      await talk(other.url, async (client) => {
        expect(await client.config('GET', 'maxmemory')).toEqual(['maxmemory', `${3 << 20}`]);
      });
      const stranger = other.url.replace(/\/\/.*@/, '//');
      await expect(talk(stranger, ping)).rejects.toThrow('NOAUTH');
      const app = other.url.replace(/\/\/.*@/, '//app:app-password@');
      await expect(talk(app, (client) => client.get('other'))).rejects.toThrow('NOPERM');
      expect(await talk(app, (client) => client.get('app:key'))).toBeNull();
    } finally {
      await other.stop();
    }
  });

  it('says why it cannot start', async () => {
    await expect(startRedis({ version, args: ['--no-such-option', 'x'] })).rejects.toThrow(
      /no-such-option/,
    );
  });

  it('speaks TLS, and only with those who trust its certificate', async () => {
    const other = await startRedis({ version, tls: true });
    try {
      const { ca = '' } = other;
      expect(await talk(other.url, ping, { tls: { ca } })).toBe('PONG');
      await expect(talk(other.url, ping, { tls: {} })).rejects.toThrow('Connection is closed');
    } finally {
      await other.stop();
    }
  });

  it('listens on a unix socket, in a folder that goes with it', async () => {
    const { image } = await findServer(version);
    const outcome = async () => {
      const other = await startRedis({ version, socket: true });
      const { socket = '' } = other;
      const answer = await talk(socket, ping);
      await other.stop();
      return `${answer}, then ${existsSync(dirname(socket)) ? 'a folder' : 'nothing'}`;
    };
    expect(await outcome().catch((error: Error) => error.message)).toBe(
      image ? 'a container has no unix socket for this machine' : 'PONG, then nothing',
    );
  });

  it('is left alone by the others: each has a port of its own', async () => {
    const others = await Promise.all(Array.from({ length: 8 }, () => startRedis({ version })));
    const ports = [server(), ...others].map(({ port }) => port);
    await Promise.all(others.map((other) => other.stop()));
    expect(new Set(ports).size).toBe(9);
  });
});

describe('a test process that ends without cleaning up', () => {
  const module = new URL('../support/servers/redis.js', import.meta.url).href;
  const start = `
    import { startRedis } from ${JSON.stringify(module)};
    const servers = [await startRedis(), await startRedis()];
    await servers[1].freeze();
    console.log(servers.map(({ port }) => port).join(' '));`;

  async function run(script: string, signal?: NodeJS.Signals): Promise<number[]> {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (signal && output.endsWith('\n')) child.kill(signal);
    });
    await new Promise((resolve) => child.once('close', resolve));
    return output.trim().split(' ').map(Number);
  }

  it.each([
    ['is killed', `${start} setInterval(() => {}, 1000);`, 'SIGKILL'],
    ['gives up', `${start} process.exit(1);`, undefined],
    ['ends', start, undefined],
  ] as const)(
    'leaves no server behind when it %s',
    async (_, script, signal) => {
      const ports = await run(script, signal);
      expect(ports).toHaveLength(2);
      // Docker's own watchdog waits ten seconds for the process to come back.
      const isGone = (listens: boolean) => !listens;
      for (const port of ports) await until(() => isListening(port), isGone, 30_000);
    },
    60_000,
  );
});
