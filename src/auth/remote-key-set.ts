import { Logger } from '@nestjs/common';
import { ChatError } from '../common/index.js';
import { usableKeysOf, type UsableKey } from './key-set.js';

// Below the 3 s within which every call is answered (contract, section 2).
const fetchTimeoutMs = 2_000;
// Tokens with an unknown `kid` make at most one fetch in this time, whoever sends how many.
const cooldownMs = 5_000;
const freshForMs = 600_000;
// An older set is read again; a sign-in with a known key waits for that no longer than this.
const patienceMs = 250;
// Longer than an identity provider is away, as a rule; after this a key it has withdrawn must not
// open anything.
const usableForMs = 3_600_000;
const maxBytes = 1_048_576;
const reportEveryMs = 60_000;

interface KeySet {
  keys: UsableKey[];
  readAtMs: number;
}

/**
 * The keys of an identity provider, read over HTTP when they are needed and kept in memory.
 *
 * Reading is bounded in time (2 s) and size (1 MiB); redirects are not followed. Keys that were
 * read serve for an hour while the provider hangs or is away, without a wait. After ten minutes
 * they are read again.
 */
export class RemoteKeySet {
  private readonly logger = new Logger('KeySet');
  private current: KeySet | null = null;
  private reading: Promise<void> | null = null;
  private triedAtMs = -Infinity;
  private isAway = false;
  private reportedFaults = '';
  private reportedAtMs = -Infinity;

  constructor(private readonly url: URL) {}

  /**
   * The keys that may have signed a token: those with its `kid`, then those without any.
   *
   * @throws ChatError UNAVAILABLE: no key set has been read within the last hour
   */
  async known(algorithm: string, kid: string | undefined): Promise<UsableKey[]> {
    const { keys } = await this.usableSet();
    const fitting = keys.filter((key) => key.algorithm === algorithm);
    if (kid === undefined) return fitting;
    const named = fitting.filter((key) => key.kid === kid);
    return [...named, ...fitting.filter((key) => key.kid === undefined)];
  }

  /**
   * Reads the set again for a token that no known key has signed, unless it was read a moment ago.
   *
   * @returns whether keys are known now that were not known before
   * @throws ChatError UNAVAILABLE: the set cannot be read, so nobody knows whether the token is
   *   good
   */
  async renew(kid: string | undefined): Promise<boolean> {
    const isKnown = kid !== undefined && this.current?.keys.some((key) => key.kid === kid);
    if (isKnown) return false;
    const before = this.current;
    if (this.reading || this.mayTry()) await this.read();
    if (this.isAway) throw keySetIsAway();
    return this.current !== before;
  }

  private async usableSet(): Promise<KeySet> {
    if (this.current === null || this.isOlderThan(usableForMs)) await this.read();
    else if (this.isOlderThan(freshForMs) && this.mayTry()) await atMost(patienceMs, this.read());
    if (this.current === null || this.isOlderThan(usableForMs)) throw keySetIsAway();
    return this.current;
  }

  private isOlderThan(ageMs: number): boolean {
    return this.current !== null && Date.now() >= this.current.readAtMs + ageMs;
  }

  private mayTry(): boolean {
    return Date.now() >= this.triedAtMs + cooldownMs;
  }

  /** Calls at the same time share one fetch. Never rejects: `isAway` says how it went. */
  private read(): Promise<void> {
    this.reading ??= this.readOnce().finally(() => (this.reading = null));
    return this.reading;
  }

  private async readOnce(): Promise<void> {
    this.triedAtMs = Date.now();
    try {
      const entries = entriesOf(await fetchText(this.url));
      const { keys, faults } = await usableKeysOf(entries);
      this.current = { keys, readAtMs: Date.now() };
      this.reportRead(keys.length, entries.length, faults);
    } catch (error) {
      this.reportAway(error);
    }
  }

  private reportRead(usable: number, all: number, faults: string[]): void {
    if (this.isAway) this.logger.log('The key set can be read again');
    this.isAway = false;
    const text = usable === 0 ? ['no key can be used, so nobody can sign in', ...faults].join('; ') : faults.join('; ');
    if (text !== '' && text !== this.reportedFaults) {
      this.logger.warn(`JWT_JWKS_URL: ${usable} of ${all} entries of the key set are used; passed over: ${text}`);
    }
    this.reportedFaults = text;
  }

  private reportAway(error: unknown): void {
    const isNews = !this.isAway || performance.now() - this.reportedAtMs > reportEveryMs;
    this.isAway = true;
    if (!isNews) return;
    this.reportedAtMs = performance.now();
    this.logger.warn(
      `JWT_JWKS_URL: the key set cannot be read: ${reasonOf(error)}. Keys already read serve on for an hour; ` +
        'other tokens get UNAVAILABLE',
    );
  }
}

async function fetchText(url: URL): Promise<string> {
  const response = await fetch(url, {
    redirect: 'manual',
    signal: AbortSignal.timeout(fetchTimeoutMs),
    headers: { accept: 'application/json, application/jwk-set+json' },
  });
  try {
    if (response.status !== 200) throw new Error(`it answers ${response.status}, not 200`);
    return await boundedText(response);
  } catch (error) {
    await response.body?.cancel().catch(() => undefined);
    throw error;
  }
}

async function boundedText({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new Error(`it is larger than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function entriesOf(text: string): unknown[] {
  let set: unknown;
  try {
    set = JSON.parse(text);
  } catch {
    throw new Error('it is no JSON');
  }
  const { keys } = (set ?? {}) as { keys?: unknown };
  if (!Array.isArray(keys)) throw new Error('it has no list "keys"');
  return keys;
}

// `fetch failed` hides the reason in its cause.
function reasonOf(error: unknown): string {
  const { name, message, cause } = error as Error;
  if (name === 'TimeoutError') return `no answer within ${fetchTimeoutMs} ms`;
  if (cause instanceof AggregateError) return reasonOf(cause.errors[0]);
  return cause instanceof Error ? cause.message : message;
}

async function atMost(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const enough = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([work, enough]);
  clearTimeout(timer);
}

function keySetIsAway(): ChatError {
  return new ChatError('UNAVAILABLE', { message: 'The key set is away', retryAfterMs: 1_000 });
}
