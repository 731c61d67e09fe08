import type { NextFunction, Request, Response } from 'express';
import { requestIdOf } from '../common/index.js';

/** Gives every answer its request id, so that a client can quote it. */
export function requestId(request: Request, response: Response, next: NextFunction): void {
  response.setHeader('X-Request-Id', requestIdOf(request));
  next();
}
