import type { Cluster, Redis } from 'ioredis';
import type { RedisTarget } from './redis-target.js';

// Messages of ioredis without a connection. The reason was in an earlier event.
const vague =
  /^(Connection is closed|Stream isn't writeable|Command aborted|Cluster is |Cluster isn't|Failed to refresh slots|None of startup nodes|Reached the max retries|No (sharded )?subscriber|Error while starting|the connection is closed)/i;

/**
 * The words of an error, also where Node hides them: one host with several addresses, no text but a
 * code.
 */
export function wordsOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) {
    return [...new Set((error.errors as unknown[]).map(wordsOf))].join('; ');
  }
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (error.message === '') return code || error.name;
  return code === '' || error.message.includes(code) ? error.message : `${error.message} (${code})`;
}

/**
 * Why a client has no connection: the last words of the network, TLS, Redis or a Sentinel, with the
 * address.
 *
 * ioredis tells them once, in an event, and answers every command with a text that hides them.
 */
export class RedisReason {
  private latest: string | null = null;
  /** The last precise answer since Redis worked. */
  private answered: string | null = null;
  private hasConnected = false;
  private readonly ofNodes = new Map<string, string>();

  constructor(
    client: Redis | Cluster,
    private readonly target: RedisTarget,
  ) {
    client.on('connecting', () => (this.hasConnected = false));
    client.on('connect', () => {
      this.hasConnected = true;
      this.latest = null;
    });
    client.on('ready', () => this.works());
    client.on('error', (error: Error) => this.note(wordsOf(error)));
    client.on('sentinelError', (error: Error) => (this.latest = this.ofSentinel(wordsOf(error))));
    client.on('node error', (error: Error, address: string) => this.noteNode(address, wordsOf(error)));
    client.on('close', () => this.closed());
  }

  /** @param error what a command or an event of this client failed with */
  of(error: unknown): string {
    const words = wordsOf(error);
    const told = vague.test(words) ? (this.latest ?? this.ofCluster() ?? this.answered) : this.withAddress(words);
    if (told !== null) this.answered = told;
    return told ?? this.withAddress('There is no connection');
  }

  /** @param address of a node of a Redis Cluster, `host:port` */
  ofNode(address: string, error: unknown): string {
    const words = wordsOf(error);
    const known = vague.test(words) ? this.ofNodes.get(address) : undefined;
    return `node ${address} of the Redis Cluster: ${known ?? words.replace(/\.$/, '')}`;
  }

  private works(): void {
    this.hasConnected = false;
    this.latest = null;
    this.answered = null;
    this.ofNodes.clear();
  }

  private noteNode(address: string, words: string): void {
    if (vague.test(words)) return;
    this.ofNodes.delete(address);
    this.ofNodes.set(address, words);
  }

  private note(words: string): void {
    if (vague.test(words)) return;
    // The Sentinels' own words are told before this summary.
    if (words.startsWith('All sentinels are unreachable') && this.latest !== null) return;
    this.latest = this.withAddress(words);
  }

  private closed(): void {
    if (this.latest !== null || !this.hasConnected || this.target.isCluster) return;
    const hint = this.target.access.tls ? '' : '; a port that expects TLS does so (rediss://)';
    this.latest = this.withAddress(`The connection was closed before Redis answered${hint}`);
  }

  private ofSentinel(words: string): string {
    const { name } = this.target.sentinel!;
    if (!/invalid reply: null$|No such master/.test(words)) return words;
    const [, address = ''] = /sentinel (\S+)/.exec(words) ?? [];
    return `the Sentinel ${address} knows no master named "${name}"`;
  }

  private ofCluster(): string | null {
    const newest = [...this.ofNodes].at(-1);
    return newest ? this.ofNode(newest[0], new Error(newest[1])) : null;
  }

  private withAddress(words: string): string {
    const { nodes, sentinel, access } = this.target;
    const addresses = nodes.map(({ host, port }) => `${host}:${port}`);
    const hint = access.tls && /ETIMEDOUT/.test(words) ? ' while TLS was being agreed; does this port speak TLS?' : '';
    if (sentinel || addresses.some((address) => words.includes(address))) return words + hint;
    return `${words}${hint} (${addresses.join(', ')})`;
  }
}
