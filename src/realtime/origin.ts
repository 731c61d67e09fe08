import type { AddressedRequest } from '../common/index.js';
import { fitsOrigin, isFromProxy, isLocalhost } from '../common/index.js';
import type { Settings } from '../config/index.js';

/**
 * Whether pages of this origin may call the server from another one: those of `CORS_ORIGINS` (`*`:
 * any). Without that setting: pages of `localhost` in development, none in production.
 */
export function isCrossOriginAllowed(origin: string, { corsOrigins, nodeEnv }: Settings): boolean {
  if (corsOrigins.length === 0) return nodeEnv !== 'production' && isLocalhost(origin);
  return corsOrigins.includes('*') || fitsOrigin(corsOrigins, origin);
}

/**
 * Whether a browser page of this origin may connect. A request without `Origin` is not from a
 * browser page.
 *
 * Allowed: those of {@link isCrossOriginAllowed}, and the server's own.
 */
export function isOriginAllowed(request: AddressedRequest, settings: Settings): boolean {
  const { origin } = request.headers;
  return origin === undefined || isCrossOriginAllowed(origin, settings) || isOwnOrigin(origin, request, settings);
}

function isOwnOrigin(origin: string, request: AddressedRequest, { publicUrl, trustProxy }: Settings): boolean {
  if (publicUrl !== undefined && new URL(publicUrl).origin === origin) return true;
  const forwarded = isFromProxy(request, trustProxy) ? request.headers['x-forwarded-host'] : undefined;
  const host = [forwarded ?? request.headers.host].flat()[0];
  return /^https?:\/\//.test(origin) && URL.canParse(origin) && new URL(origin).host === host;
}
