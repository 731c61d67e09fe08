import { pinoHttp, type HttpLogger } from 'pino-http';
import type { Logger } from 'pino';
import type { Request, Response } from 'express';
import type { Actor } from '../auth/index.js';
import { clientAddress, requestIdOf } from '../common/index.js';
import type { Settings } from '../config/index.js';

type LoggedRequest = Request & { actor?: Actor };

interface ResponseTime {
  /** Milliseconds. */
  responseTime?: number;
}

// Probes and scrapers come every few seconds and would hide the other lines.
const unlogged = /^\/(health|metrics)(\/|$|\?)/i;

/**
 * Logs one line per request: method, route, status, milliseconds, user, address. It never logs the
 * query, a header or a body.
 */
export function requestLog(
  logger: Logger,
  { trustProxy }: Pick<Settings, 'trustProxy'>,
): HttpLogger<LoggedRequest, Response> {
  const fields = (request: LoggedRequest, response: Response, found: ResponseTime) => ({
    ...requestFields(request, response, found),
    address: clientAddress(request, trustProxy),
  });
  return pinoHttp<LoggedRequest, Response>({
    logger: logger.child({ context: 'Http' }),
    genReqId: (request) => requestIdOf(request),
    customAttributeKeys: { reqId: 'requestId' },
    quietReqLogger: true,
    quietResLogger: true,
    autoLogging: { ignore: (request) => unlogged.test(request.originalUrl) },
    customSuccessMessage: () => 'request',
    customErrorMessage: () => 'request',
    customSuccessObject: (request, response, found: ResponseTime) => fields(request, response, found),
    customErrorObject: (request, response, _error, found: ResponseTime) => fields(request, response, found),
  });
}

function requestFields(request: LoggedRequest, response: Response, found: ResponseTime): object {
  const { method, originalUrl, actor } = request;
  return {
    method,
    // The pattern (`/v1/messages/:id`), or what was asked for where no route matched.
    route: (request.route as { path?: string } | undefined)?.path ?? originalUrl.split('?')[0]?.slice(0, 200),
    status: response.writableFinished ? response.statusCode : 'aborted',
    ms: found.responseTime,
    ...(actor === undefined ? {} : { userId: actor.userId }),
  };
}
