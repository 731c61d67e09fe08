import cluster, { type Address, type Worker } from 'node:cluster';
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { nodeNumberVariable } from './cluster-node.js';
import { isHandOver, stopReading, type HandOver } from './hand-over.js';

export interface SupervisorPlan {
  nodes: number;
  /** The program of one node. */
  exec: string;
  port: number;
  /** Number of addresses on which each node listens there. */
  addresses: number;
  /** Environment of one node; it overrides this process' own. */
  env: (number: number) => NodeJS.ProcessEnv;
  /** After this a node that does not end is killed. */
  stopTimeoutMs: number;
  /** Receives messages for the operator. */
  log: (line: string) => void;
}

const firstDelayMs = 500;
const maxDelayMs = 15_000;
/** A node that ran at least this long is restarted quickly. */
const steadyMs = 30_000;

interface Slot {
  worker: Worker;
  startedAt: number;
  /** Number of consecutive ends soon after a start. */
  failures: number;
}

/** A node that ended before it listened. It has printed why. */
export class NodeStartError extends Error {}

/** Keeps the nodes of a cluster running, each under its number, and passes sockets between them. */
export class Supervisor {
  private readonly slots = new Map<number, Slot>();
  private readonly ends = new Set<Promise<void>>();
  private isStopping = false;

  constructor(private readonly plan: SupervisorPlan) {
    // Not left to the kernel, which would send most connections to the node that asks first.
    cluster.schedulingPolicy = cluster.SCHED_RR;
    cluster.setupPrimary({ exec: plan.exec, args: [] });
  }

  /** Process ids by number. */
  get pids(): Map<number, number> {
    return new Map([...this.slots].map(([number, { worker }]) => [number, worker.process.pid!]));
  }

  /** Resolves when all nodes listen. @throws NodeStartError when one ends before */
  async start(): Promise<void> {
    const numbers = Array.from({ length: this.plan.nodes }, (_, index) => index + 1);
    await Promise.all(numbers.map((number) => this.listening(this.launch(number, 0), number)));
    for (const [number, slot] of this.slots) this.keep(number, slot);
  }

  /** Drains all nodes at once and resolves when they have ended. */
  async stop(): Promise<void> {
    this.isStopping = true;
    for (const { worker } of this.slots.values()) worker.process.kill('SIGTERM');
    const timer = setTimeout(() => this.kill(), this.plan.stopTimeoutMs);
    await Promise.all(this.ends);
    clearTimeout(timer);
  }

  private kill(): void {
    for (const { worker } of this.slots.values()) if (!worker.isDead()) worker.process.kill('SIGKILL');
  }

  private launch(number: number, failures: number): Slot {
    const worker = cluster.fork({ ...this.plan.env(number), [nodeNumberVariable]: String(number) });
    const slot = { worker, startedAt: performance.now(), failures };
    this.slots.set(number, slot);
    worker.on('error', () => undefined);
    worker.on('message', (message: unknown, socket: Socket | undefined) => {
      if (isHandOver(message) && socket) this.relay(message, socket);
    });
    const end = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    this.ends.add(end);
    void end.then(() => this.ends.delete(end));
    return slot;
  }

  private listening({ worker }: Slot, number: number): Promise<void> {
    return new Promise((resolve, reject) => {
      let missing = this.plan.addresses;
      worker.on('listening', ({ port }: Address) => {
        if (port === this.plan.port) missing -= 1;
        if (missing === 0) resolve();
      });
      worker.once('exit', () => this.isStopping || reject(new NodeStartError(`node ${number} did not start`)));
    });
  }

  private keep(number: number, slot: Slot): void {
    const again = () => void this.restart(number, slot);
    if (slot.worker.isDead()) again();
    else slot.worker.once('exit', again);
  }

  private async restart(number: number, { worker, startedAt, failures }: Slot): Promise<void> {
    if (this.isStopping) return;
    const inARow = performance.now() - startedAt > steadyMs ? 0 : failures;
    const delayMs = Math.min(firstDelayMs * 2 ** inARow, maxDelayMs);
    const { signalCode, exitCode } = worker.process;
    this.plan.log(`node ${number} ended (${signalCode ?? exitCode}); starting it again in ${delayMs} ms`);
    await pause(delayMs);
    if (!this.isStopping) this.keep(number, this.launch(number, inARow + 1));
  }

  private relay(message: HandOver, socket: Socket): void {
    stopReading(socket);
    socket.on('error', () => undefined);
    const worker = this.slots.get(message.handOver)?.worker;
    if (worker?.isConnected()) worker.send(message, socket, {}, () => undefined);
    else socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
  }
}
