import { pinoHttp, type HttpLogger } from 'pino-http';
import type { Logger } from 'pino';
import type { Request, Response } from 'express';
import type { Actor } from '../auth/index.js';
import { requestIdOf } from '../common/index.js';

type LoggedRequest = Request & { actor?: Actor };

interface ResponseTime {
  /** Milliseconds. */
  responseTime?: number;
}

// Probes and collectors come every few seconds and would drown the rest.
const unlogged = /^\/(health|metrics)(\/|$|\?)/i;

/**
 * One line per request: method, route, status, milliseconds, who. Never the query, a header or a
 * body.
 */
export function requestLog(logger: Logger): HttpLogger<LoggedRequest, Response> {
  return pinoHttp<LoggedRequest, Response>({
    logger: logger.child({ context: 'Http' }),
    genReqId: (request) => requestIdOf(request),
    customAttributeKeys: { reqId: 'requestId' },
    quietReqLogger: true,
    quietResLogger: true,
    autoLogging: { ignore: (request) => unlogged.test(request.originalUrl) },
    customSuccessMessage: () => 'request',
    customErrorMessage: () => 'request',
    customSuccessObject: requestFields,
    customErrorObject: (request, response, _error, found: ResponseTime) => requestFields(request, response, found),
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
