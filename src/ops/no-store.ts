import type { NextFunction, Request, Response } from 'express';

/** Answers under `/v1` are one user's: no cache on the way may keep one and give it to another. */
export function noStore(_request: Request, response: Response, next: NextFunction): void {
  response.setHeader('Cache-Control', 'no-store');
  next();
}
