import type { HeartbeatAck } from '../common/wire-events.js';
import type { Connection } from './connection.js';

/**
 * Asks the server for a sign of life, its clock and its position, as often as it proposes. A
 * heartbeat that is not answered in time ends the connection (see {@link Connection.request}), long
 * before the transport notices.
 */
export class Heartbeat {
  private timer: ReturnType<typeof setInterval> | undefined;
  /**
   * The server's clock less this one's, by the last answer; an error of half the way there and
   * back.
   */
  offsetMs = 0;

  constructor(
    private readonly intervalMs: number | null,
    private readonly answered: (connection: Connection, pulse: HeartbeatAck) => void,
  ) {}

  begin(connection: Connection): void {
    this.end();
    const { heartbeatIntervalMs, serverTime } = connection.session!;
    this.offsetMs = Date.parse(serverTime) - Date.now();
    this.timer = setInterval(() => void this.beat(connection), this.intervalMs ?? heartbeatIntervalMs);
  }

  end(): void {
    clearInterval(this.timer);
  }

  private async beat(connection: Connection): Promise<void> {
    const askedAtMs = Date.now();
    try {
      const pulse = (await connection.request('heartbeat')) as HeartbeatAck;
      this.offsetMs = Date.parse(pulse.serverTime) - (askedAtMs + Date.now()) / 2;
      this.answered(connection, pulse);
    } catch {
      // Postgres is away: the server lives; the next beat asks again.
    }
  }
}
