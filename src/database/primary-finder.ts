import type { DatabaseHost } from '../config/index.js';
import { reasonOf } from './reason.js';

/** Signs in to a host that takes writes. @throws what is wrong with it */
type TryHost = (host: DatabaseHost) => Promise<void>;

const nameOf = ({ host, port }: DatabaseHost): string => (host.startsWith('/') ? host : `${host}:${port}`);

/**
 * Of several hosts finds the one that takes writes, in the order of `DATABASE_URL`, and remembers it
 * until a connection to it fails. One host alone is not tried beforehand.
 */
export class PrimaryFinder {
  private found: DatabaseHost | null;
  private search: Promise<DatabaseHost> | null = null;

  constructor(
    private readonly hosts: readonly DatabaseHost[],
    private readonly tryHost: TryHost,
  ) {
    this.found = hosts.length === 1 ? hosts[0]! : null;
  }

  /** @throws Error with the reason of each host */
  async find(): Promise<DatabaseHost> {
    if (this.found) return this.found;
    this.search ??= this.look().finally(() => (this.search = null));
    return this.search;
  }

  /** A connection to it has failed: the next one looks again. */
  forget(host: DatabaseHost): void {
    if (this.hosts.length > 1 && this.found === host) this.found = null;
  }

  private async look(): Promise<DatabaseHost> {
    const reasons: string[] = [];
    let last: unknown;
    for (const host of this.hosts) {
      try {
        await this.tryHost(host);
        return (this.found = host);
      } catch (error) {
        last = error;
        reasons.push(`${nameOf(host)}: ${reasonOf(error)}`);
      }
    }
    const { code = 'ECONNREFUSED' } = last as { code?: string };
    throw Object.assign(new Error(`no host takes writes: ${reasons.join('; ')}`, { cause: last }), { code });
  }
}
