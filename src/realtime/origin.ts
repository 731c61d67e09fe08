import type { IncomingHttpHeaders } from 'node:http';
import type { Settings } from '../config/index.js';

/**
 * Whether a browser page of this origin may connect. A request without `Origin` is not from a
 * browser page.
 *
 * Allowed: the origins of `CORS_ORIGINS` (`*`: any), and the server's own.
 */
export function isOriginAllowed(headers: IncomingHttpHeaders, settings: Settings): boolean {
  const { origin } = headers;
  if (origin === undefined) return true;
  if (settings.corsOrigins.includes('*') || settings.corsOrigins.includes(origin)) return true;
  const host = (settings.trustProxy ? headers['x-forwarded-host'] : undefined) ?? headers.host;
  return URL.canParse(origin) && new URL(origin).host === host;
}
