/** A Redis Cluster of three masters on the loopback interface. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { inject, expect } from 'vitest';
import { freePort } from '../../src/embedded/index.js';
import { noteStarted } from '../setup/started-processes.js';
import { eventually } from '../setup/patience.js';

const slotCount = 16_384;
const masters = 3;

interface ClusterNode {
  port: number;
  busPort: number;
  child: ChildProcess;
}

export class RedisCluster {
  private constructor(private readonly nodes: ClusterNode[]) {}

  /** @param wordsOf what else to put on the command line of node `i` */
  static async start(wordsOf: (i: number) => string[] = () => []): Promise<RedisCluster> {
    const cluster = new RedisCluster(await Promise.all(Array.from({ length: masters }, (_, i) => launch(wordsOf(i)))));
    await cluster.form();
    return cluster;
  }

  /** As `REDIS_URL` takes it. */
  get url(): string {
    return this.nodes.map(({ port }) => `redis://127.0.0.1:${port}`).join(',');
  }

  /** Sends a command to each master. */
  async onEach(...command: [string, ...(string | number)[]]): Promise<unknown[]> {
    return Promise.all(this.nodes.map((node) => call(node, ...command)));
  }

  /** SIGSTOP hangs one master, SIGCONT wakes it. */
  signal(index: number, signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.nodes[index]!.child.kill(signal);
  }

  stop(): void {
    for (const { child } of this.nodes) child.kill('SIGKILL');
  }

  /** By hand, not by `redis-cli --cluster create`, which a machine with only a server may lack. */
  private async form(): Promise<void> {
    const share = Math.ceil(slotCount / masters);
    for (const [i, node] of this.nodes.entries()) {
      await call(node, 'cluster', 'addslotsrange', i * share, Math.min(slotCount, (i + 1) * share) - 1);
    }
    for (const { port, busPort } of this.nodes.slice(1)) {
      await call(this.nodes[0]!, 'cluster', 'meet', '127.0.0.1', port, busPort);
    }
    await eventually(
      async () => {
        for (const info of await this.onEach('cluster', 'info')) {
          expect(info).toMatch(/cluster_state:ok[^]*known_nodes:3/);
        }
      },
      { timeout: 20_000, interval: 100 },
    );
  }
}

async function launch(more: string[]): Promise<ClusterNode> {
  const [port, busPort] = [await freePort(), await freePort()];
  const settings = {
    port,
    'cluster-port': busPort,
    'cluster-enabled': 'yes',
    'cluster-node-timeout': 2_000,
    bind: '127.0.0.1',
    save: '',
    appendonly: 'no',
  };
  const words = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const cwd = await mkdtemp(join(inject('runDir'), 'cluster-'));
  const child = spawn(inject('redisServerPath'), [...words, ...more], { cwd, stdio: 'ignore' });
  await once(child, 'spawn');
  await noteStarted(inject('runDir'), child.pid!);
  return { port, busPort, child };
}

async function call({ port }: ClusterNode, ...command: [string, ...(string | number)[]]): Promise<unknown> {
  const admin = new Redis({ port, host: '127.0.0.1', retryStrategy: () => 50 });
  admin.on('error', () => undefined);
  try {
    return await admin.call(...command);
  } finally {
    admin.disconnect();
  }
}
