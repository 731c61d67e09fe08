import { Injectable, Logger } from '@nestjs/common';
import { getHeapStatistics } from 'node:v8';
import { Settings } from '../config/index.js';
import { Metrics } from '../metrics/index.js';

const mebibyte = 1_048_576;
const logIntervalMs = 10_000;

/** Why something of a stranger was refused; a label of the metric. */
type Refusal = 'links-of-address' | 'links' | 'bytes-of-address' | 'bytes';

/** What is counted for one address, or for all. */
interface Count {
  links: number;
  bytes: number;
}

// A sign-in with the longest token is below it. What a link says beyond counts until it signs in: a
// parser may wait for more of it.
const freeBytes = 32_768;

/** One link, or one request's body, and the unfinished input it pins. */
export class StrangerHold {
  private bytes = 0;
  private receivedBytes = 0;
  private isOver = false;

  constructor(
    private readonly limits: StrangerLimits,
    private readonly address: string,
    private readonly links: 0 | 1,
  ) {}

  /**
   * Says how much unfinished input there is by now.
   *
   * @returns whether there is room for it; false: the caller ends the link
   */
  pin(unfinishedBytes: number): boolean {
    if (this.isOver) return true;
    const bytes = unfinishedBytes + (this.receivedBytes > freeBytes ? this.receivedBytes : 0);
    const isWithin = this.limits.change(this.address, 0, bytes - this.bytes);
    this.bytes = bytes;
    return isWithin;
  }

  /** Notes input that is complete, or will be pinned: before a sign-in there is little to say. */
  received(bytes: number): void {
    this.receivedBytes += bytes;
  }

  /** The link has signed in, or has ended. */
  end(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.limits.change(this.address, -this.links, -this.bytes);
  }
}

/**
 * Bounds what those who have not signed in may pin, for each address and in all (guarantee 12):
 * their links, and the bytes of messages and bodies that are not complete.
 *
 * Per process. What is over a limit is refused or cut, told in one line in ten seconds, and counted.
 */
@Injectable()
export class StrangerLimits {
  readonly maxBytes: number;
  readonly maxBytesOfAddress: number;
  private readonly logger = new Logger(StrangerLimits.name);
  private readonly all: Count = { links: 0, bytes: 0 };
  private readonly byAddress = new Map<string, Count>();
  private toldAtMs = -Infinity;

  constructor(
    private readonly settings: Settings,
    private readonly metrics: Metrics,
  ) {
    const share = Math.floor(getHeapStatistics().heap_size_limit / 8);
    this.maxBytes = Math.min(64 * mebibyte, Math.max(8 * mebibyte, share));
    this.maxBytesOfAddress = this.maxBytes / 4;
    metrics.sample('parley_strangers', () => [
      { value: this.all.links, labels: { what: 'links' } },
      { value: this.all.bytes, labels: { what: 'bytes' } },
    ]);
  }

  /** Whether one more link of an address may open. */
  hasRoom(address: string): boolean {
    const { maxStrangerLinks, maxStrangerLinksPerAddress } = this.settings;
    if ((this.byAddress.get(address)?.links ?? 0) >= maxStrangerLinksPerAddress) {
      return this.refuse('links-of-address', address);
    }
    return this.all.links < maxStrangerLinks || this.refuse('links', address);
  }

  /** Counts a link that has opened. */
  link(address: string): StrangerHold {
    this.change(address, 1, 0);
    return new StrangerHold(this, address, 1);
  }

  /** Counts the body of a request, which is no link of its own. */
  body(address: string): StrangerHold {
    return new StrangerHold(this, address, 0);
  }

  /** What is held now, of an address or of all. */
  held(address?: string): Readonly<Count> {
    return (address === undefined ? this.all : this.byAddress.get(address)) ?? { links: 0, bytes: 0 };
  }

  /** @returns whether the bytes are within the limits */
  change(address: string, links: number, bytes: number): boolean {
    const own = this.byAddress.get(address) ?? { links: 0, bytes: 0 };
    for (const count of [own, this.all]) {
      count.links += links;
      count.bytes += bytes;
    }
    if (own.links <= 0 && own.bytes <= 0) this.byAddress.delete(address);
    else this.byAddress.set(address, own);
    if (bytes <= 0) return true;
    if (own.bytes > this.maxBytesOfAddress) return this.refuse('bytes-of-address', address);
    return this.all.bytes <= this.maxBytes || this.refuse('bytes', address);
  }

  private refuse(reason: Refusal, address: string): false {
    this.metrics.count('parley_strangers_refused_total', { reason });
    const nowMs = performance.now();
    if (nowMs - this.toldAtMs >= logIntervalMs) {
      this.toldAtMs = nowMs;
      this.logger.warn(
        `links that have not signed in are refused or cut (${reason}, last from ${address}); users who are signed in are not affected`,
      );
    }
    return false;
  }
}
