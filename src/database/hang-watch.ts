/** Whether Postgres answers: false when it does. Must not go through {@link HangWatch} itself. */
export type HangProbe = () => Promise<unknown>;

const probeIntervalMs = 250;

/**
 * Remembers that Postgres hangs (takes connections or statements and never answers), so that
 * callers are told at once instead of each waiting for its own time-out and holding a connection
 * meanwhile.
 *
 * Opened by a time-out of our own only: a server that refuses, cancels or cuts is alive and says so
 * quickly. While it is open a probe asks four times a second; its first answer closes it.
 */
export class HangWatch {
  private hanging = false;

  constructor(private readonly probe: HangProbe) {}

  get isHanging(): boolean {
    return this.hanging;
  }

  /** A statement was not answered within its time. */
  noteSilence(): void {
    if (this.hanging) return;
    this.hanging = true;
    this.probeLater();
  }

  private probeLater(): void {
    setTimeout(() => void this.ask(), probeIntervalMs).unref();
  }

  private async ask(): Promise<void> {
    try {
      await this.probe();
      this.hanging = false;
    } catch (error) {
      // Refused or cut: it does not hang any more, whatever else is wrong. Without a free
      // connection nobody knows.
      this.hanging = isSilence(error) || isStarved(error);
      if (this.hanging) this.probeLater();
    }
  }
}

/** Whether an error of `pg` or `pg-pool` says that no answer came in time. */
export function isSilence(error: unknown): boolean {
  return error instanceof Error && /Query read timeout|due to connection timeout/.test(error.message);
}

function isStarved(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('timeout exceeded when trying to connect');
}
