import { ChatError } from './chat-error.js';
import type { ClientOptions } from './client.options.js';

/** The token of the app, asked for no more often than needed. */
export class TokenSource {
  private token: string | null;

  constructor(
    private readonly source: ClientOptions['token'],
    private readonly refreshBeforeMs: number,
    private readonly patienceMs: number,
  ) {
    this.token = typeof source === 'string' ? source : null;
  }

  /** False: there will never be another one. */
  get canRenew(): boolean {
    return typeof this.source === 'function';
  }

  /** @throws ChatError TOKEN_UNAVAILABLE */
  async take(nowMs: number): Promise<string> {
    const { token, expiresAtMs } = this;
    const isEnding = expiresAtMs !== null && expiresAtMs - this.refreshBeforeMs <= nowMs;
    return token === null || (isEnding && this.canRenew) ? this.renew() : token;
  }

  /** @throws ChatError TOKEN_UNAVAILABLE */
  async renew(): Promise<string> {
    if (typeof this.source === 'string') return this.source;
    try {
      return (this.token = await inTime(this.source, this.patienceMs));
    } catch (cause) {
      throw ChatError.own('TOKEN_UNAVAILABLE', { cause });
    }
  }

  /** The server has refused it. */
  discard(): void {
    if (this.canRenew) this.token = null;
  }

  /**
   * When the present token ends, in milliseconds of Unix time; null where it does not say (it is no
   * JWT).
   */
  get expiresAtMs(): number | null {
    return this.token === null ? null : expiryOf(this.token);
  }
}

/**
 * A request of the app's that hangs, as on networks without a time-out of their own, is one that
 * failed.
 */
async function inTime(source: () => string | Promise<string>, patienceMs: number): Promise<string> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no token within ${patienceMs} ms`)), patienceMs);
  });
  try {
    return await Promise.race([source(), late]);
  } finally {
    clearTimeout(timer);
  }
}

function expiryOf(token: string): number | null {
  try {
    const payload = token.split('.')[1]!.replaceAll('-', '+').replaceAll('_', '/');
    const { exp } = JSON.parse(atob(payload)) as { exp?: unknown };
    return typeof exp === 'number' ? exp * 1_000 : null;
  } catch {
    // An opaque token of the app's own Authenticator.
    return null;
  }
}
