import type { NextFunction, Request, Response } from 'express';
import { ChatError, sendProblem } from '../common/index.js';

/**
 * Answers a request with `UNAVAILABLE` if its handler has not answered in time, as the dispatcher
 * does for events. Several statements, each within its own time-out, may together exceed the 3 s of
 * the contract (section 2). The handler goes on, so the outcome is unknown to the client.
 *
 * Put it behind the body parser, so that a client's slow upload does not count.
 */
export function answerInTime(timeoutMs: number) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const timer = setTimeout(() => {
      if (!response.headersSent) sendProblem(request, response, new ChatError('UNAVAILABLE', { retryAfterMs: 1_000 }));
    }, timeoutMs);
    response.once('close', () => clearTimeout(timer));
    next();
  };
}
