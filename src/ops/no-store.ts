import type { NextFunction, Request, Response } from 'express';

/** Answers under `/v1` belong to one user, so no cache may keep them. */
export function noStore(_request: Request, response: Response, next: NextFunction): void {
  response.setHeader('Cache-Control', 'no-store');
  next();
}
