/**
 * Who acts: tokens, principals, revocation, and the guards that close both doors by default.
 *
 * Guarantees: no REST route (unless `@Public()`) and no event runs without a verified token that
 * has neither expired (`JWT_LEEWAY_SECONDS` of leeway) nor been revoked; a revocation holds on
 * every node within `REVOCATION_BOUND_MS`, whatever becomes of Redis, and for good; while a node
 * cannot keep that ({@link AccessWatch}), it serves nothing durable. Does not guarantee that a
 * socket is closed when its token ends: realtime does that, told by {@link Revocations.onRevoked} and by
 * `Principal.expiresAtMs`. Accounts are the identity provider's, not ours.
 */
export { Ephemeral, Public, RequireScope } from './access.decorators.js';
export { logRefusal, logRevocation, logSignIn, type AccessNote } from './access-log.js';
export { AccessWatch, type AccessReader } from './access-watch.js';
export { Actor, type Turn } from './actor.js';
export { AuthModule, type AuthModuleOptions } from './auth.module.js';
export { Authenticator } from './authenticator.js';
export { CurrentActor } from './current-actor.decorator.js';
export { mintDevelopmentToken, type DevelopmentTokenOptions } from './dev-token.js';
export { tokenOfHandshake, type TokenCarrier } from './handshake-token.js';
export { HttpJwtGuard } from './http-jwt.guard.js';
export { JwtAuthenticator } from './jwt.authenticator.js';
export { isUserId, userIdPattern, type Principal } from './principal.js';
export { RequestAdmission, type AdmittedRequest } from './request-admission.js';
export { Revocations, type RevocationListener } from './revocations.js';
export { SignIn } from './sign-in.js';
export { WsJwtGuard } from './ws-jwt.guard.js';
