import { Catch, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { ChatError } from './chat-error.js';
import { asChatError, problemDetailsOf } from './problem-details.js';
import { requestIdOf } from './request-id.js';

/**
 * Answers every failure of an HTTP request with RFC 9457 problem details
 * (`application/problem+json`).
 *
 * The answer never contains a stack, SQL text or the client's input. An error that is no
 * `ChatError` and not the client's fault becomes `INTERNAL`, and is logged with the request id. An
 * answer that has begun, or whose client has gone, is ended as it is.
 *
 * @see contract, sections 2 and 8
 */
@Catch()
export class ProblemDetailsFilter implements ExceptionFilter {
  private readonly logger = new Logger('Http');

  catch(thrown: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<Request>();
    const response = host.switchToHttp().getResponse<Response>();
    const error = asChatError(thrown);
    if (error.code === 'INTERNAL' && !cameTooLate(thrown)) {
      this.logger.error({ requestId: requestIdOf(request), err: thrown }, 'request failed');
    }
    sendProblem(request, response, error);
  }
}

/**
 * Answers a request with an error's problem details. An answer that has begun, or whose client has
 * gone, is ended.
 */
export function sendProblem(request: Request, response: Response, error: ChatError): void {
  if (response.headersSent || response.destroyed) {
    response.end();
    return;
  }
  const problem = problemDetailsOf(error, requestIdOf(request));
  if (error.retryAfterMs !== undefined) response.setHeader('Retry-After', Math.ceil(error.retryAfterMs / 1_000));
  response.setHeader('X-Request-Id', problem.requestId);
  response.status(problem.status).type('application/problem+json').send(JSON.stringify(problem));
}

/** Whether a slow handler answered after its request had already been answered. This is no bug. */
function cameTooLate(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === 'ERR_HTTP_HEADERS_SENT';
}
