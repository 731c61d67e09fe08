/**
 * Measures the cost of one node's death: next to nothing for users of other nodes, a reconnect for
 * its own.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { join } from 'node:path';
import type { ErrorBody } from '../../src/common/index.js';
import { open, type TestClient } from '../support/client.js';
import { directConversation } from '../support/conversations.js';
import { Balancer } from './balancer.js';
import { History } from './history.js';
import { percentile } from './percentile.js';
import { table } from './report.js';
import { Scene } from './scene.js';

const idleCount = 1_000;
const idleAtOnce = 50;
const speakerCount = 40;
const sendsPerSecond = 60;
const beforeMs = 10_000;
const afterMs = 20_000;
const openTimeoutMs = 120_000;
const retryMs = 1_000;
const backTimeoutMs = 60_000;

/** The promised limits. */
const leastOk = 0.999;
const ackBoundMs = 500;
const backBoundMs = 15_000;

interface Outcome {
  ok: boolean;
  ms: number;
}

/**
 * Kills the first of three nodes under load. @returns whether the bounds held; the figures are
 * printed
 */
export async function runNodeDeath(dir: string, dist: string): Promise<boolean> {
  const history = new History(join(dir, 'history.jsonl'));
  const scene = await Scene.start(dir, dist, history);
  const [first, ...others] = scene.nodes;
  const balancer = await Balancer.start([first!]);
  const idle = new IdleSockets();
  try {
    await idle.open(`http://127.0.0.1:${balancer.port}`);
    const speakers = await Speakers.assemble(others.map(({ url }) => url));
    await speakers.speakFor(beforeMs);
    balancer.lead(scene.nodes);
    speakers.forget();
    idle.death();
    await Promise.all([first!.end('SIGKILL'), speakers.speakFor(afterMs)]);
    await idle.untilBack(backTimeoutMs);
    return tell(speakers.outcomes, idle);
  } finally {
    idle.close();
    await balancer.stop();
    await scene.stop();
    await history.close();
  }
}

function tell(outcomes: readonly Outcome[], idle: IdleSockets): boolean {
  const ok = outcomes.filter((one) => one.ok).length / outcomes.length;
  const p99 = percentile(
    outcomes.map(({ ms }) => ms),
    0.99,
  );
  const backMs = idle.allBackAfterMs;
  console.log(
    table(
      ['a node of three is killed', ''],
      [
        [`sends of users of the other two, ${afterMs / 1_000} s from then`, `${outcomes.length}`],
        [`ok (at least ${leastOk * 100} %)`, `${(ok * 100).toFixed(2)} %`],
        [`ack p99 (at most ${ackBoundMs} ms)`, `${p99} ms`],
        [`its idle sockets, tries of theirs that were refused`, `${idle.count}, ${idle.refusals}`],
        [
          `all back on the others after (at most ${backBoundMs} ms)`,
          backMs === null ? `${idle.backCount} are back` : `${backMs} ms`,
        ],
      ],
    ),
  );
  return ok >= leastOk && p99 <= ackBoundMs && backMs !== null && backMs <= backBoundMs;
}

/** Stock clients of as many users that say nothing. */
class IdleSockets {
  allBackAfterMs: number | null = null;
  refusals = 0;
  private readonly clients: TestClient[] = [];
  private diedAt = 0;
  private readonly back = new Set<string>();

  get backCount(): number {
    return this.back.size;
  }

  get count(): number {
    return this.clients.length;
  }

  async open(url: string): Promise<void> {
    for (let i = 0; i < idleCount; i += idleAtOnce) {
      const names = Array.from({ length: idleAtOnce }, (_, j) => `idle-${i + j}`);
      const batch = await Promise.all(
        names.map((name) => open(url, name, { reconnection: true, expiresInSeconds: 7_200 })),
      );
      await Promise.all(batch.map((client) => client.waitFor('session-ready', undefined, openTimeoutMs)));
      this.clients.push(...batch);
    }
    for (const { socket, userId } of this.clients) {
      socket.on('session-ready', () => this.come(userId));
      socket.on('connect_error', (error: Error & { data?: ErrorBody }) => this.tryAgain(socket, error.data));
    }
  }

  async untilBack(timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (this.allBackAfterMs === null && performance.now() < deadline) await pause(100);
  }

  death(): void {
    this.diedAt = performance.now();
  }

  close(): void {
    for (const client of this.clients) client.close();
  }

  /**
   * The stock client does not reconnect after a server's refusal. The app tries again after the
   * given time.
   */
  private tryAgain(socket: TestClient['socket'], refusal: ErrorBody | undefined): void {
    if (!refusal) return;
    this.refusals += 1;
    setTimeout(() => socket.connect(), refusal.retryAfterMs ?? retryMs);
  }

  private come(userId: string): void {
    if (this.diedAt === 0) return;
    this.back.add(userId);
    if (this.back.size === idleCount) this.allBackAfterMs = Math.round(performance.now() - this.diedAt);
  }
}

/** Pairs of users on two nodes that talk across. */
class Speakers {
  outcomes: Outcome[] = [];

  private constructor(private readonly pairs: { client: TestClient; conversationId: string }[]) {}

  static async assemble(urls: readonly string[]): Promise<Speakers> {
    const clients: TestClient[] = [];
    for (let i = 0; i < speakerCount; i++) {
      const client = await open(urls[i % urls.length]!, `speaker-${i}`, { expiresInSeconds: 7_200 });
      await client.waitFor('session-ready');
      clients.push(client);
    }
    const pairs = [];
    for (const [i, client] of clients.entries()) {
      const other = clients[(i + 1) % clients.length]!.userId;
      pairs.push({ client, conversationId: await directConversation(urls[0]!, client.userId, other) });
    }
    return new Speakers(pairs);
  }

  /** Resolves when everything said is answered, or given up. */
  async speakFor(ms: number): Promise<void> {
    const said: Promise<void>[] = [];
    const beganAt = performance.now();
    for (let i = 0; performance.now() - beganAt < ms; i++) {
      said.push(this.say(i));
      await pause(Math.max(0, ((i + 1) * 1_000) / sendsPerSecond - (performance.now() - beganAt)));
    }
    await Promise.all(said);
  }

  forget(): void {
    this.outcomes = [];
  }

  private async say(i: number): Promise<void> {
    const { client, conversationId } = this.pairs[i % this.pairs.length]!;
    const saidAt = performance.now();
    const request = { conversationId, content: { text: `${i}` } };
    const ok = await client.ask('send-message', request).then(
      () => true,
      () => false,
    );
    this.outcomes.push({ ok, ms: Math.round(performance.now() - saidAt) });
  }
}
