import { hash } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { ChatError, Clock } from '../common/index.js';
import { Settings } from '../config/index.js';
import { rememberOwner } from './access-log.js';
import { Authenticator } from './authenticator.js';
import { FailedSignIns } from './failed-sign-ins.js';
import { isUserId, type Principal } from './principal.js';
import { Revocations } from './revocations.js';

const authenticateTimeoutMs = 2_500;
const ownCodes: readonly string[] = ['UNAUTHENTICATED', 'TOKEN_EXPIRED', 'TOKEN_REVOKED', 'UNAVAILABLE'];

/**
 * The one way in: what handshakes, `refresh-token` and REST requests go through, whatever {@link
 * Authenticator} is used.
 */
@Injectable()
export class SignIn {
  private readonly logger = new Logger('SignIn');
  private readonly leewayMs: number;
  private readonly maxTokenBytes: number;

  constructor(
    private readonly authenticator: Authenticator,
    private readonly revocations: Revocations,
    private readonly failures: FailedSignIns,
    private readonly clock: Clock,
    settings: Settings,
  ) {
    this.leewayMs = settings.jwtLeewaySeconds * 1_000;
    this.maxTokenBytes = settings.maxTokenBytes;
  }

  /**
   * Says who a token speaks for, if it still does. Answers within 2.5 s.
   *
   * A revocation that arrives after this resolved is told to `Revocations.onRevoked` listeners
   * only: who keeps the principal (a socket) calls {@link assertStillValid} again once those
   * listeners can find it.
   *
   * @param token null when the client sent none
   * @param network where it comes from (`clientNetwork`), for the count of bad tokens; null where
   *   that is not known
   * @param deviceId the device that speaks; null: none (REST), or not known yet
   * @throws ChatError UNAUTHENTICATED | TOKEN_EXPIRED | TOKEN_REVOKED | UNAVAILABLE | RATE_LIMITED
   *   (a bad token, above `FAILED_SIGN_INS_PER_MINUTE`) | PAYLOAD_TOO_LARGE (above
   *   `MAX_TOKEN_BYTES`), nothing else
   */
  async principalOf(token: string | null, network: string | null, deviceId: string | null = null): Promise<Principal> {
    if (token === null || token === '') throw new ChatError('UNAUTHENTICATED');
    if (Buffer.byteLength(token) > this.maxTokenBytes)
      throw new ChatError('PAYLOAD_TOO_LARGE', { message: `A token has at most ${this.maxTokenBytes} bytes` });
    const authenticated = await this.authenticate(token, network);
    const principal = Object.freeze({ ...authenticated, tokenHash: hash('sha256', token, 'base64') });
    this.assertStillValid(principal, deviceId);
    return principal;
  }

  /**
   * Checks again what can change after verification. Synchronous and cheap: it runs for every
   * event.
   *
   * @param deviceId as {@link principalOf} takes it
   * @throws ChatError TOKEN_EXPIRED (also at the very instant: RFC 7519, 4.1.4) | TOKEN_REVOKED
   */
  assertStillValid(principal: Principal, deviceId: string | null): void {
    // Written so that a time that is not a number counts as expired.
    const isExpired = !(this.clock.now() < principal.expiresAtMs + this.leewayMs);
    if (!isExpired && !this.revocations.isRevoked(principal, deviceId)) return;
    throw rememberOwner(new ChatError(isExpired ? 'TOKEN_EXPIRED' : 'TOKEN_REVOKED'), principal.userId);
  }

  private async authenticate(token: string, network: string | null): Promise<Principal> {
    try {
      const principal = await answeredInTime(this.authenticator.authenticate(token));
      if (!isUserId(principal.userId)) throw new Error('the authenticator answered without a valid user id');
      return principal;
    } catch (error) {
      const isBad = error instanceof ChatError && error.code === 'UNAUTHENTICATED';
      const refusal = isBad && network !== null ? this.failures.note(network) : null;
      if (refusal) throw refusal;
      if (error instanceof ChatError && ownCodes.includes(error.code)) throw error;
      this.logger.error('The authenticator failed', error instanceof Error ? error.stack : undefined);
      throw new ChatError('UNAVAILABLE', { message: 'Tokens cannot be checked now', cause: error });
    }
  }
}

async function answeredInTime<T>(answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer in time')), authenticateTimeoutMs);
  });
  try {
    return await Promise.race([answer, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
