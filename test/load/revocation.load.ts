import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { settingsTable } from '../../src/config/index.js';
import { TestCluster } from '../support/cluster.js';
import { revocationKinds, type PreparedRevocation } from '../support/revocations.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { figuresOf, print } from './figures.js';

const repetitions = Number(process.env['LOAD_REPETITIONS'] ?? 100);
const atOnce = 5;
const boundMs = settingsTable.revocationBoundMs.default;
const lookEveryMs = 20;
const givenUpMs = 20_000;

/** Milliseconds from the request to the effect on the other node. */
async function timeOf({ act, effect }: PreparedRevocation): Promise<number> {
  const startedAt = performance.now();
  const acted = act();
  for (;;) {
    const isOver = performance.now() - startedAt > givenUpMs;
    try {
      await effect();
      break;
    } catch (error) {
      if (isOver) throw error;
      await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
    }
  }
  const tookMs = performance.now() - startedAt;
  await acted;
  return tookMs;
}

async function timesOf(prepared: PreparedRevocation[]): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < prepared.length; i += atOnce) {
    times.push(...(await Promise.all(prepared.slice(i, i + atOnce).map(timeOf))));
  }
  return times;
}

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

describe.each(outages)('Redis $name: counts on the other node within the bound', ({ name: redis, begin, end }) => {
  let cluster: TestCluster;
  let way: TcpProxy;
  const prepared = new Map<string, PreparedRevocation[]>();

  beforeAll(async () => {
    cluster = await TestCluster.start({ nodes: 1, settings: { revocationBoundMs: boundMs } });
    way = await TcpProxy.start(cluster.redis!.url);
    await cluster.addNode({ redisUrl: way.url });
    for (const { name, prepare } of revocationKinds) {
      const ready: PreparedRevocation[] = [];
      for (let i = 0; i < repetitions; i++) ready.push(await prepare(cluster, String(i)));
      prepared.set(name, ready);
    }
    await begin(cluster, way);
  });

  afterAll(async () => {
    end(cluster);
    await cluster?.stop();
    await way?.close();
  });

  it.each(revocationKinds)('$name', async ({ name }) => {
    const figures = figuresOf(await timesOf(prepared.get(name)!));
    print(`Redis ${redis}, ${name}`, figures);
    expect(figures.max).toBeLessThanOrEqual(boundMs);
  });
});
