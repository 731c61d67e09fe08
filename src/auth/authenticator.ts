import type { Principal } from './principal.js';

/**
 * Says who a token speaks for. Replace it to accept other tokens than JWTs: opaque ones with
 * introspection, say, or those of a session store.
 *
 * Called once per Socket.IO handshake (in every namespace), per `refresh-token` and per REST
 * request. Not called for events of a connected socket: those are judged by what this answered, by
 * the clock and by the revocations. Not called without a token, nor for one above 8 KiB: both are
 * `UNAUTHENTICATED` already. Calls run concurrently, as many as clients knock: only a
 * good token takes a place in `HANDSHAKES_PER_SECOND`. A backend that caches does so itself.
 *
 * Allowed answers:
 * - a {@link Principal}: expiry and revocation are checked afterwards, so neither is this seam's
 *   business;
 * - `ChatError UNAUTHENTICATED` | `TOKEN_EXPIRED` | `TOKEN_REVOKED`: the client is refused with
 *   that code. `UNAUTHENTICATED` counts as a bad token of the client's address
 *   (`FAILED_SIGN_INS_PER_MINUTE`), so answer one of the others for a token that was good once;
 * - `ChatError UNAVAILABLE`: what it asks is away; the client is told to try again.
 *
 * Any other error, a principal without a valid user id, and no answer within 2.5 s are logged
 * (never the token) and refused as `UNAVAILABLE`. Nothing is ever let in by default. There is one
 * authenticator; to combine several, write one that asks them in order.
 *
 * @since 0.1.0
 * @example AuthModule.forRoot({ authenticator: IntrospectionAuthenticator })
 */
export abstract class Authenticator {
  /**
   * @param token as the client sent it: 1 to 8,192 characters, otherwise unchecked. Never log it.
   */
  abstract authenticate(token: string): Promise<Principal>;
}
