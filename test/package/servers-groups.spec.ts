import { describe, expect, it } from '@jest/globals';
import { Cluster, Redis } from 'ioredis';
import { useCluster, useSentinel } from '../support/servers/hooks.js';
import { until } from '../support/until.js';

describe.each(['redis', 'valkey'] as const)('a %s cluster for the tests', (version) => {
  const cluster = useCluster({ version, nodeTimeout: 1000 });

  async function talk<Answer>(work: (client: Cluster) => Promise<Answer>): Promise<Answer> {
    const client = new Cluster([...cluster().urls]);
    try {
      return await work(client);
    } finally {
      client.disconnect();
    }
  }

  it('has three masters with a replica each, and serves every slot', async () => {
    await talk(async (client) => {
      await Promise.all(Array.from({ length: 200 }, (_, i) => client.set(`key-${i}`, i)));
      expect(client.nodes('master')).toHaveLength(3);
      expect(client.nodes('slave')).toHaveLength(3);
    });
  });

  it('moves slots with their keys', async () => {
    const keys = Array.from({ length: 150 }, (_, i) => `{moved}${i}`);
    await talk((client) => Promise.all(keys.map((key) => client.set(key, `value of ${key}`))));
    const from = await cluster().ownerOf('{moved}');
    const to =
      cluster()
        .nodes.slice(0, 3)
        .find((node) => node !== from) ?? from;
    await cluster().migrateSlots(from, to, [await cluster().slotOf('{moved}')]);
    expect((await cluster().ownerOf('{moved}')).id).toBe(to.id);
    const values = await talk((client) => Promise.all(keys.map((key) => client.get(key))));
    expect(values).toEqual(keys.map((key) => `value of ${key}`));
  });

  it('stops half way between two nodes when told to', async () => {
    await talk((client) => client.mset('{half}a', 1, '{half}b', 2));
    const from = await cluster().ownerOf('{half}');
    const to =
      cluster()
        .nodes.slice(0, 3)
        .find((node) => node !== from) ?? from;
    const move = await cluster().beginMove(from, to, await cluster().slotOf('{half}'));
    await move.moveKeys(1);
    await talk(async (client) => {
      expect(await Promise.all([client.get('{half}a'), client.get('{half}b')])).toEqual(['1', '2']);
    });
    const direct = new Redis(from.url, { retryStrategy: () => null });
    await expect(direct.mget('{half}a', '{half}b')).rejects.toThrow(/TRYAGAIN|ASK/);
    direct.disconnect();
    await move.finish();
    expect(await talk((client) => client.mget('{half}a', '{half}b'))).toEqual(['1', '2']);
  });

  it('hands over to a replica without loss', async () => {
    await talk((client) => client.set('{handed}', 'kept'));
    const master = await cluster().ownerOf('{handed}');
    const heir = await cluster().failover(master);
    expect((await cluster().ownerOf('{handed}')).id).toBe(heir.id);
    expect(await talk((client) => client.get('{handed}'))).toBe('kept');
    const back = await cluster().failover(heir);
    expect(back.id).toBe(master.id);
  });

  it('survives the death of a master, which comes back as a replica', async () => {
    const master = await cluster().ownerOf('{crashed}');
    const heir = await cluster().crash(master);
    expect((await cluster().ownerOf('{crashed}')).id).toBe(heir.id);
    await talk((client) => client.set('{crashed}', 'written'));
    await master.restart();
    const client = new Redis(master.url);
    await until(
      () => client.role(),
      ([role]) => role === 'slave',
    );
    client.disconnect();
  });
});

describe('a cluster of one node', () => {
  const cluster = useCluster({ masters: 1 });

  it('serves all slots and refuses commands that cross them', async () => {
    expect(cluster().nodes).toHaveLength(1);
    const client = new Redis(cluster().urls[0] ?? '');
    await client.set('a', 1);
    await client.set('b', 2);
    await expect(client.mget('a', 'b')).rejects.toThrow('CROSSSLOT');
    client.disconnect();
  });
});

describe.each(['redis', 'valkey'] as const)('a %s Sentinel group for the tests', (version) => {
  const group = useSentinel({ version });

  function connect(): Redis {
    const { name, sentinels } = group();
    return new Redis({
      name,
      sentinels: sentinels.map(({ host, port }) => ({ host, port })),
      sentinelRetryStrategy: () => 50,
      retryStrategy: () => 50,
    });
  }

  it('leads clients to the master', async () => {
    const client = connect();
    expect(await client.set('key', 'value')).toBe('OK');
    expect((await client.role())[0]).toBe('master');
    client.disconnect();
    expect(group().sentinels).toHaveLength(3);
    expect((await group().master()).port).toBe(group().servers[0]?.port);
  });

  it('replaces a healthy master when told to', async () => {
    const old = await group().master();
    const heir = await group().failover();
    expect(heir.port).not.toBe(old.port);
    expect((await group().master()).port).toBe(heir.port);
  });

  it('replaces a master that was killed', async () => {
    const old = await group().master();
    const heir = await group().killMaster();
    expect(heir.port).not.toBe(old.port);
    const client = connect();
    expect(await client.set('key', 'value')).toBe('OK');
    client.disconnect();
  });
});
