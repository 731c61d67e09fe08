import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { EmbeddedServiceError, tellingLine } from './embedded-service.error.js';

/** The user a service runs as; empty: the user of this process. */
export interface Account {
  uid?: number;
  gid?: number;
}

export interface ServicePlan {
  name: string;
  command: string;
  args: string[];
  cwd: string;
  env?: NodeJS.ProcessEnv;
  account?: Account;
  /** Written to its standard input, for what must not stand in the list of processes. */
  input?: string;
  /** Receives what it prints; begun anew by each {@link ServiceProcess}. */
  logFile: string;
  /** Whether it answers yet. */
  isReady(): Promise<boolean>;
  /** Asks it to end; {@link ServiceProcess.stop} waits until it has. */
  end(): Promise<void>;
}

const pollMs = 25;
// Recovery after a hard kill reads the log since the last checkpoint, on slow disks for minutes.
const startTimeoutMs = 120_000;
const restartDelayMs = 500;
const stopTimeoutMs = 30_000;

/**
 * A service of this app in a process group of its own: Ctrl-C at the terminal reaches the app
 * alone, which stops the service when it has drained. One that ends by itself is started again. It
 * does not keep the app's event loop alive.
 */
export class ServiceProcess {
  private child: ChildProcess | undefined;
  private isStopping = false;

  constructor(private readonly plan: ServicePlan) {}

  /**
   * Resolves once it answers. @throws EmbeddedServiceError with the line it printed that says why
   */
  async start(): Promise<void> {
    await this.launch('w');
    const deadline = Date.now() + startTimeoutMs;
    while (!(await this.plan.isReady())) {
      if (!this.isRunning() || Date.now() > deadline) throw await this.failure();
      await pause(pollMs);
    }
    this.child!.once('exit', () => void this.restart());
  }

  /** Resolves once it has ended. */
  async stop(): Promise<void> {
    this.isStopping = true;
    if (!this.isRunning()) return;
    const ended = once(this.child!, 'exit');
    await this.plan.end().catch(() => this.child?.kill('SIGTERM'));
    const gaveUp = setTimeout(() => this.child?.kill('SIGKILL'), stopTimeoutMs);
    await ended;
    clearTimeout(gaveUp);
  }

  /** Ends at once, for a start that failed half way. */
  kill(): void {
    this.isStopping = true;
    if (this.isRunning()) this.child?.kill('SIGQUIT');
  }

  private isRunning(): boolean {
    return this.child?.pid !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  private async launch(flags: 'w' | 'a'): Promise<void> {
    const { command, args, cwd, env, account, input, logFile } = this.plan;
    const log = await open(logFile, flags, 0o600);
    const stdio = [input === undefined ? 'ignore' : 'pipe', log.fd, log.fd] as ('ignore' | 'pipe' | number)[];
    this.child = spawn(command, args, {
      cwd,
      env: env ?? process.env,
      ...account,
      stdio,
      detached: true,
      windowsHide: true,
    });
    this.child.on('error', () => undefined);
    this.child.unref();
    this.child.stdin?.on('error', () => undefined).end(input);
    await log.close();
  }

  private async restart(): Promise<void> {
    await pause(restartDelayMs, undefined, { ref: false });
    if (this.isStopping) return;
    try {
      await this.launch('a');
    } catch {
      // Its log cannot be opened: the disk is full, or no more files can be opened. Later.
      return this.restart();
    }
    this.child!.once('exit', () => void this.restart());
  }

  private async failure(): Promise<EmbeddedServiceError> {
    const reason = tellingLine(await readFile(this.plan.logFile, 'utf8'));
    return new EmbeddedServiceError(`${this.plan.name} did not start: ${reason} (see ${this.plan.logFile})`);
  }
}
