import type { Device } from './device.js';
import type { Random } from './random.js';

const tickMs = 100;
/** Edits, deletions and reactions per send. */
const shares = { edit: 0.05, delete: 0.02, react: 0.08 } as const;

/** Has the devices say things, spread evenly over time, whether they are connected or not. */
export class Load {
  composed = 0;
  private timer: NodeJS.Timeout | undefined;
  private lastAt = 0;
  private due = 0;

  constructor(
    private readonly devices: readonly Device[],
    private readonly sendsPerSecond: number,
    private readonly random: Random,
  ) {}

  start(): void {
    this.lastAt = performance.now();
    this.timer = setInterval(() => this.tick(), tickMs);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private tick(): void {
    const now = performance.now();
    this.due += ((now - this.lastAt) / 1_000) * this.sendsPerSecond;
    this.lastAt = now;
    for (; this.due >= 1; this.due -= 1) this.act();
  }

  private act(): void {
    const device = this.random.pick(this.devices);
    const { d, conversations } = device.plan;
    this.composed += 1;
    const key = `${d}:${this.composed}`;
    device.outbox.add(this.random.pick(conversations), key, key);
    for (const [verb, share] of Object.entries(shares) as [keyof typeof shares, number][]) {
      if (this.random.next() < share) this.random.pick(this.devices).change(verb);
    }
  }
}
