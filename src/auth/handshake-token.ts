/**
 * The parts of a Socket.IO handshake that may carry a token. Client input: nothing about it is
 * certain.
 */
export interface TokenCarrier {
  auth?: unknown;
  headers?: { authorization?: string | undefined };
}

/**
 * The token of an `Authorization: Bearer` header, or null. The scheme's case does not matter (RFC
 * 9110).
 */
export function bearerToken(header: unknown): string | null {
  if (typeof header !== 'string') return null;
  return /^Bearer +(\S+) *$/i.exec(header)?.[1] ?? null;
}

/**
 * The token of a handshake: `auth.token`, else the `Authorization` header, else null.
 *
 * Never the query string: it would end up in the logs of every proxy on the way (contract, section
 * 1).
 */
export function tokenOfHandshake({ auth, headers }: TokenCarrier): string | null {
  const given = typeof auth === 'object' && auth !== null && 'token' in auth ? auth.token : undefined;
  return typeof given === 'string' && given !== '' ? given : bearerToken(headers?.authorization);
}
