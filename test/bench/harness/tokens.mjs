import { createHmac, randomBytes } from 'node:crypto';

/** The HS256 secret of this run, for every server that verifies. */
export const secret = randomBytes(32).toString('hex');

/** @returns a token as an identity provider would mint it, good for an hour */
export function tokenFor(userId) {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1_000);
  const body = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ sub: userId, iat: now, exp: now + 3_600 })}`;
  return `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`;
}
