/** A master, a replica and a Sentinel that promotes it, on the loopback interface. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect, inject } from 'vitest';
import { freePort } from '../../src/embedded/index.js';
import { noteStarted } from '../setup/started-processes.js';
import { eventually } from '../setup/patience.js';

const name = 'chat';

interface Server {
  port: number;
  child: ChildProcess;
}

export class RedisSentinel {
  private constructor(
    private readonly servers: Server[],
    private readonly sentinel: Server,
  ) {}

  static async start(): Promise<RedisSentinel> {
    const master = await launch([]);
    const replica = await launch([`replicaof 127.0.0.1 ${master.port}`]);
    const watch = [`monitor ${name} 127.0.0.1 ${master.port} 1`, `down-after-milliseconds ${name} 500`];
    const sentinel = await launch(
      [...watch, `failover-timeout ${name} 2000`].map((line) => `sentinel ${line}`),
      '--sentinel',
    );
    const started = new RedisSentinel([master, replica], sentinel);
    await started.knowsItsReplica();
    return started;
  }

  /** As `REDIS_URL` takes it. */
  get url(): string {
    return `redis+sentinel://127.0.0.1:${this.sentinel.port}/${name}`;
  }

  /** Kills the master of the moment. */
  async killMaster(): Promise<void> {
    const port = await this.masterPort();
    this.servers.find((server) => server.port === port)!.child.kill('SIGKILL');
  }

  /** Swaps master and replica, as an operator does before maintenance. */
  async swap(): Promise<void> {
    const before = await this.masterPort();
    await call(this.sentinel, 'sentinel', 'failover', name);
    await eventually(async () => expect(await this.masterPort()).not.toBe(before), { timeout: 15_000, interval: 100 });
    await this.knowsItsReplica();
  }

  stop(): void {
    for (const { child } of [...this.servers, this.sentinel]) child.kill('SIGKILL');
  }

  private async masterPort(): Promise<number> {
    const [, port] = (await call(this.sentinel, 'sentinel', 'get-master-addr-by-name', name)) as string[];
    return Number(port);
  }

  private async knowsItsReplica(): Promise<void> {
    const usable = async () => {
      const [replica] = (await call(this.sentinel, 'sentinel', 'replicas', name)) as string[][];
      const field = (key: string) => replica?.[replica.indexOf(key) + 1];
      expect([field('flags'), field('master-link-status')]).toEqual(['slave', 'ok']);
    };
    await eventually(usable, { timeout: 30_000, interval: 100 });
  }
}

async function launch(lines: string[], ...args: string[]): Promise<Server> {
  const port = await freePort();
  const dir = await mkdtemp(join(inject('runDir'), 'sentinel-'));
  const file = join(dir, 'redis.conf');
  const common = [`port ${port}`, 'bind 127.0.0.1', `dir ${dir}`];
  const stored = args.length > 0 ? [] : ['save ""', 'appendonly no', 'repl-diskless-sync-delay 0'];
  await writeFile(file, [...common, ...stored, ...lines, ''].join('\n'));
  const child = spawn(inject('redisServerPath'), [file, ...args], { stdio: 'ignore' });
  await once(child, 'spawn');
  await noteStarted(inject('runDir'), child.pid!);
  return { port, child };
}

async function call({ port }: Server, ...command: [string, ...string[]]): Promise<unknown> {
  const admin = new Redis({ port, host: '127.0.0.1', retryStrategy: () => 50 });
  admin.on('error', () => undefined);
  try {
    return await admin.call(...command);
  } finally {
    admin.disconnect();
  }
}
