import type { Connection } from './connection.js';
import type { TokenSource } from './token.source.js';

// Node's and the browsers' timers overflow above this and would fire at once.
const maxTimerMs = 2_147_483_647;
const retryMs = 5_000;

/**
 * Gets another token before the present one ends, and hands it to the server (`refresh-token`), so
 * that the connection stays. Where this fails it is tried again until the server disconnects; then
 * the next connection begins with a fresh token.
 */
export class TokenRenewal {
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly tokens: TokenSource,
    private readonly refreshBeforeMs: number,
    /** The server's clock: the one that decides. */
    private readonly now: () => number,
  ) {}

  begin(connection: Connection): void {
    this.end();
    const { expiresAtMs } = this.tokens;
    if (!this.tokens.canRenew || expiresAtMs === null) return;
    this.wait(connection, expiresAtMs - this.refreshBeforeMs - this.now(), 0);
  }

  end(): void {
    clearTimeout(this.timer);
  }

  private wait(connection: Connection, leftMs: number, leastMs: number): void {
    const stepMs = Math.min(Math.max(leftMs, leastMs), maxTimerMs);
    this.timer = setTimeout(() => {
      if (leftMs > stepMs) this.wait(connection, leftMs - stepMs, leastMs);
      else void this.renew(connection);
    }, stepMs);
  }

  private async renew(connection: Connection): Promise<void> {
    try {
      const token = await this.tokens.renew();
      if (connection.isOver) return;
      const { expiresAt } = (await connection.request('refresh-token', { token })) as { expiresAt: string };
      // A callback may hand out the same token for a while yet.
      this.wait(connection, Date.parse(expiresAt) - this.refreshBeforeMs - this.now(), retryMs);
    } catch {
      if (!connection.isOver) this.wait(connection, 0, retryMs);
    }
  }
}
