import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { testSecret } from '../support/client.js';
import type { History, NodeEvent } from './history.js';

const startTimeoutMs = 60_000;
const restartDelayMs = 500;
/**
 * Twice the limit of guarantee 11. A node that takes longer is killed, so that the run can report
 * it.
 */
const endTimeoutMs = 20_000;
const complaints =
  /unhandled|uncaught|TypeError|ReferenceError|RangeError|MaxListenersExceeded|out of memory|FATAL ERROR/i;

export interface NodePlan {
  index: number;
  port: number;
  /** The built `main.js`. */
  program: string;
  databaseUrl: string;
  redisUrl: string;
  logFile: string;
  /** Settings beyond the defaults, as environment variables. */
  settings: Readonly<Record<string, string>>;
}

/** One server process, started again whenever it has ended, as an orchestrator does. */
export class NodeService {
  isUp = false;
  private child: ChildProcess | null = null;
  private because: NodeEvent['because'] = null;
  private signalledAt = 0;
  private readonly log: WriteStream;

  constructor(
    private readonly plan: NodePlan,
    private readonly history: History,
  ) {
    this.log = createWriteStream(plan.logFile, { flags: 'a' });
  }

  get port(): number {
    return this.plan.port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.plan.port}`;
  }

  /** Resolves once it listens, however often that takes. */
  async start(): Promise<void> {
    while (this.because !== 'the end' && !(await this.tryToStart())) await pause(restartDelayMs);
  }

  /** Resolves when it has ended; it starts again by itself. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    await this.untilUp();
    this.because = signal;
    await this.endChild(signal);
  }

  /** Resolves when it listens (again). */
  async untilUp(): Promise<void> {
    const deadline = performance.now() + startTimeoutMs;
    while (!this.isUp) {
      if (performance.now() > deadline) throw new Error(`node ${this.plan.index} does not start`);
      await pause(50);
    }
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    if (!this.child?.kill(signal)) throw new Error(`node ${this.plan.index} took no ${signal}`);
  }

  /** In good order, for good. */
  async stop(): Promise<void> {
    this.because = 'the end';
    await this.endChild('SIGTERM');
    this.log.end();
  }

  private async endChild(signal: NodeJS.Signals): Promise<void> {
    const { child } = this;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    this.signalledAt = performance.now();
    child.kill(signal);
    const late = setTimeout(() => child.kill('SIGKILL'), endTimeoutMs);
    await ended;
    clearTimeout(late);
  }

  private async tryToStart(): Promise<boolean> {
    const child = spawn(process.execPath, [this.plan.program], {
      env: this.environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    this.watch(child);
    const listening = new Promise<boolean>((resolve) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        this.read(line);
        if (line.includes('Parley listens')) resolve(true);
      });
      child.once('exit', () => resolve(false));
    });
    this.isUp = await listening;
    if (this.isUp) this.note({ what: 'up' });
    return this.isUp;
  }

  private watch(child: ChildProcess): void {
    createInterface({ input: child.stderr! }).on('line', (line) => this.read(line));
    child.once('exit', (code, signal) => this.onExit(code, signal));
  }

  private read(line: string): void {
    this.log.write(`${line}\n`);
    if (complaints.test(line)) this.note({ what: 'complaint', line });
  }

  private onExit(code: number | null, signal: NodeJS.Signals | null): void {
    const { because, isUp } = this;
    this.isUp = false;
    const tookMs = because === null ? 0 : Math.round(performance.now() - this.signalledAt);
    this.note({ what: isUp || because !== null ? 'exit' : 'start-failed', code, signal, because, tookMs });
    if (because === 'the end') return;
    this.because = null;
    if (isUp) void pause(restartDelayMs).then(() => this.start());
  }

  private note(event: Omit<NodeEvent, 'k' | 'node'>): void {
    this.history.note({ k: 'node', node: this.plan.index, ...event });
  }

  private environment(): NodeJS.ProcessEnv {
    return {
      PATH: process.env['PATH'],
      PORT: String(this.plan.port),
      HOST: '127.0.0.1',
      DATABASE_URL: this.plan.databaseUrl,
      REDIS_URL: this.plan.redisUrl,
      JWT_SECRET: testSecret,
      LOG_LEVEL: 'warn',
      ...this.plan.settings,
    };
  }
}
