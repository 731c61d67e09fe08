import type { NextFunction, Request, Response } from 'express';
import { ChatError, sendProblem } from '../common/index.js';

/**
 * Answers a request `UNAVAILABLE` when nothing else has answered it in time, as the dispatcher does
 * for events: several statements, each within its own time-out, may together take longer than the 3
 * s of the contract (section 2). What the handler goes on doing, and whether it ends well, the
 * client is not told: the outcome is unknown.
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
