import { SignJWT } from 'jose';
import { secretsOf, type Settings } from '../config/index.js';
import { isUserId } from './principal.js';

export interface DevelopmentTokenOptions {
  /** Default 86,400: a day. May be negative, for a token that has expired already. */
  expiresInSeconds?: number;
  /** Default none. */
  scopes?: readonly string[];
  /** Unix ms; default the system's clock. For tests with a clock of their own. */
  nowMs?: number;
}

/** @throws Error one line, under `NODE_ENV=production` */
export function refuseUnderProduction(nodeEnv: string | undefined): void {
  if (nodeEnv === 'production') throw new Error('NODE_ENV: no development tokens are minted under production');
}

/**
 * Signs a token for a user with the first `JWT_SECRET`, with the issuer and audience the server
 * expects. For development and tests: accounts and their tokens are the identity provider's
 * business.
 *
 * @throws Error one line: under `NODE_ENV=production`, with `JWT_JWKS_URL`, without a secret, or
 *   for a bad user id or expiry
 */
export async function mintDevelopmentToken(
  settings: Settings,
  sub: string,
  { expiresInSeconds = 86_400, scopes = [], nowMs = Date.now() }: DevelopmentTokenOptions = {},
): Promise<string> {
  refuseUnderProduction(settings.nodeEnv);
  if (settings.jwtJwksUrl !== undefined) throw new Error('JWT_JWKS_URL: its owner mints the tokens, not this server');
  if (!isUserId(sub)) throw new Error('The user id must be 1 to 128 printable characters');
  if (!Number.isInteger(expiresInSeconds)) throw new Error('The expiry must be a whole number of seconds');
  const [secret] = secretsOf(settings);
  if (secret === undefined) throw new Error('JWT_SECRET: is required to mint tokens');
  const issuedAt = Math.floor(nowMs / 1_000);
  const token = new SignJWT(scopes.length === 0 ? {} : { scope: scopes.join(' ') })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(sub)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + expiresInSeconds);
  if (settings.jwtIssuer !== undefined) token.setIssuer(settings.jwtIssuer);
  if (settings.jwtAudience !== undefined) token.setAudience(settings.jwtAudience);
  return token.sign(Buffer.from(secret));
}
