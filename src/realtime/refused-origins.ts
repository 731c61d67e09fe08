import { Logger } from '@nestjs/common';
import { clientAddress, requestIdOf, type AddressedRequest } from '../common/index.js';
import type { Settings } from '../config/index.js';

// So many that an operator's own mistakes are among them, and so few that strangers cannot fill the log.
const maxOrigins = 1_000;
const maxLength = 200;
const logger = new Logger('Origins');
const reported = new WeakMap<Settings, Set<string>>();

/**
 * Tells the operator that a page was refused for its origin: one line for each origin as long as the
 * server runs, and at most {@link maxOrigins}, whichever door it came by.
 */
export function reportRefusedOrigin(request: AddressedRequest, target: string, settings: Settings): void {
  const known = reported.get(settings) ?? new Set<string>();
  reported.set(settings, known);
  const origin = (request.headers.origin ?? '').slice(0, maxLength);
  if (known.has(origin) || known.size > maxOrigins) return;
  known.add(origin);
  if (known.size > maxOrigins) {
    logger.warn('Too many different origins were refused; further ones are not logged');
    return;
  }
  logger.warn({
    msg: 'An origin was refused: CORS_ORIGINS does not allow it. Add it there if the page is yours',
    origin,
    address: clientAddress(request, settings.trustProxy),
    requestId: requestIdOf(request),
    target,
  });
}
