import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { freePort } from '../../src/embedded/index.js';
import { requireRedisServer } from '../setup/programs.js';

const startTimeoutMs = 20_000;

/**
 * A redis-server of the run's own, with an append-only file: a restart brings old leases and queues
 * back, as in production.
 */
export class RedisService {
  private child: ChildProcess | null = null;

  private constructor(
    private readonly program: string,
    private readonly dir: string,
    readonly port: number,
  ) {}

  static async start(dir: string): Promise<RedisService> {
    const redis = new RedisService(await requireRedisServer(), dir, await freePort());
    await redis.launch();
    return redis;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts it; it must not run. @param empty without what it kept on disk */
  async launch({ empty = false } = {}): Promise<void> {
    if (empty) await rm(this.dir, { recursive: true, force: true });
    await mkdir(this.dir, { recursive: true });
    const settings = { port: this.port, bind: '127.0.0.1', save: '', appendonly: 'yes', dir: this.dir };
    const words = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
    this.child = spawn(this.program, [...words, '--logfile', join(this.dir, '..', 'redis.log')], { stdio: 'ignore' });
    await once(this.child, 'spawn');
    await this.untilReady();
  }

  async kill(): Promise<void> {
    const { child } = this;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  /** SIGSTOP hangs it, SIGCONT wakes it. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    if (!this.child?.kill(signal)) throw new Error(`redis-server took no ${signal}`);
  }

  /** Sends one command as an operator would. */
  async call(...command: [string, ...string[]]): Promise<unknown> {
    const admin = new Redis({ port: this.port, host: '127.0.0.1', maxRetriesPerRequest: 1, commandTimeout: 5_000 });
    admin.on('error', () => undefined);
    try {
      return await admin.call(...command);
    } finally {
      admin.disconnect();
    }
  }

  private async untilReady(): Promise<void> {
    const deadline = performance.now() + startTimeoutMs;
    while ((await this.call('PING').catch(() => null)) !== 'PONG') {
      if (performance.now() > deadline) throw new Error(`redis-server did not start on port ${this.port}`);
      await pause(20);
    }
  }
}
