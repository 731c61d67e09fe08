import type { NestExpressApplication } from '@nestjs/platform-express';
import type { NextFunction, Request, Response } from 'express';
import { ChatError, sendProblem } from '../common/index.js';
import type { Settings } from '../config/index.js';
import { isCrossOriginAllowed, isOriginAllowed, reportRefusedOrigin } from '../realtime/index.js';

const maxTarget = 200;

/**
 * Lets pages of allowed origins read REST answers. The preflight of any other page is `FORBIDDEN`,
 * with the reason, and its origin is logged.
 *
 * Other requests of such a page are answered without cross-origin headers: browsers keep the page
 * from reading them, and the token is in a header that no page can set without a preflight.
 */
export function allowOrigins(app: NestExpressApplication, settings: Settings): void {
  app.use(refuseForeignPages(settings));
  const isAllowed = (origin: string | undefined) =>
    settings.corsOrigins.includes('*') || (origin !== undefined && isCrossOriginAllowed(origin, settings));
  app.enableCors({
    origin: (origin, decide) => decide(null, isAllowed(origin)),
    methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: ['X-Request-Id', 'Retry-After'],
    maxAge: 600,
  });
}

function refuseForeignPages(settings: Settings) {
  return (request: Request, response: Response, next: NextFunction): void => {
    if (isOriginAllowed(request, settings)) return next();
    reportRefusedOrigin(request, `${request.method} ${request.path.slice(0, maxTarget)}`, settings);
    const isPreflight = request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined;
    if (!isPreflight) return next();
    sendProblem(request, response, new ChatError('FORBIDDEN', { message: 'CORS_ORIGINS does not allow this origin' }));
  };
}
