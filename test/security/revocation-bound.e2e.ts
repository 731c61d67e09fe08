import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TestClock } from '../../src/testing/index.js';
import { rest } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';
import { groupConversation } from '../support/conversations.js';
import { revocationKinds, type PreparedRevocation } from '../support/revocations.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { eventually } from '../setup/patience.js';

// The clock of the nodes stands still, so nothing that they remember grows old: a change counts on
// the other node only if it comes over the bus, or is read from Postgres.
const standingClock = () => {
  const clock = new TestClock();
  clock.stop();
  return clock;
};

const outages: {
  name: string;
  begin(cluster: TestCluster, way: TcpProxy): unknown;
  end(cluster: TestCluster): void;
}[] = [
  { name: 'up', begin: () => undefined, end: () => undefined },
  {
    name: 'paused',
    begin: (cluster) => cluster.redis!.kill('SIGSTOP'),
    end: (cluster) => void cluster.redis!.kill('SIGCONT'),
  },
  { name: 'cut off', begin: (_cluster, way) => way.close(), end: () => undefined },
];

describe.each(outages)('on another node, with Redis $name, counts', ({ begin, end }) => {
  let cluster: TestCluster;
  let way: TcpProxy;
  const prepared = new Map<string, PreparedRevocation>();

  beforeAll(async () => {
    const settings = { jwtLeewaySeconds: 300 };
    cluster = await TestCluster.start({ nodes: 1, settings, extensions: { clock: standingClock() } });
    way = await TcpProxy.start(cluster.redis!.url);
    await cluster.addNode({ redisUrl: way.url });
    for (const { name, prepare } of revocationKinds) prepared.set(name, await prepare(cluster, 'one'));
    await begin(cluster, way);
  });

  afterAll(async () => {
    end(cluster);
    await cluster?.stop();
    await way?.close();
  });

  it.each(revocationKinds)('$name', async ({ name }) => {
    const { act, effect } = prepared.get(name)!;
    await act();
    await eventually(effect, { timeout: 2_000, interval: 50 });
  });
});

describe('a node that cannot read in time what was revoked', () => {
  let cluster: TestCluster;
  let holder: pg.Client;

  beforeAll(async () => {
    cluster = await TestCluster.start({ nodes: 2, settings: { revocationBoundMs: 1_000 } });
    holder = new pg.Client({ connectionString: cluster.database.url });
    await holder.connect();
  });

  afterEach(() => holder.query('ROLLBACK'));

  afterAll(async () => {
    await holder?.end();
    await cluster?.stop();
  });

  const readiness = async () => {
    const response = await fetch(`${cluster.url(1)}/health/ready`);
    return { status: response.status, body: (await response.json()) as { dependencies: Record<string, object> } };
  };

  it.each(['revocations', 'notice_log'])(
    'refuses what is durable and is not ready, goes on with what is ephemeral, and recovers (%s)',
    async (table) => {
      const [alice, bob] = [`alice-${table}`, `bob-${table}`];
      const conversationId = await groupConversation(cluster.url(), alice, [bob]);
      const client = await cluster.connect(alice, 1);
      const message = { conversationId, content: { text: 'hello' } };
      await eventually(() => client.ask('send-message', message));

      await holder.query('BEGIN');
      await holder.query(`LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
      await eventually(async () => expect((await client.refused('send-message', message)).code).toBe('UNAVAILABLE'));
      const down = await readiness();
      expect(down.status).toBe(503);
      expect(down.body.dependencies).toMatchObject({ postgres: { status: 'up' }, revocations: { status: 'down' } });
      expect(await rest(cluster.url(1), alice, 'GET', '/v1/me')).toMatchObject({
        status: 503,
        body: { code: 'UNAVAILABLE' },
      });
      await client.ask('heartbeat');
      await client.ask('typing-start', { conversationId });
      expect(client.socket.connected).toBe(true);

      await holder.query('ROLLBACK');
      await eventually(() => client.ask('send-message', message), { interval: 100 });
      await eventually(async () => expect((await readiness()).status).toBe(200), { interval: 100 });
    },
  );
});
