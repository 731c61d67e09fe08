import { newRandomId } from './ids.js';

const identified = new WeakMap<object, string>();
const wellFormed = /^[A-Za-z0-9._-]{1,128}$/;

/**
 * The id of an HTTP request, the same in its answer, its errors and its log lines.
 *
 * The caller's `X-Request-Id` where it is 1 to 128 of `A-Za-z0-9._-`, else a new one: nothing else
 * a client writes gets into a log.
 */
export function requestIdOf(request: { headers: Record<string, string | string[] | undefined> }): string {
  const known = identified.get(request);
  if (known !== undefined) return known;
  const proposed = request.headers['x-request-id'];
  const requestId = typeof proposed === 'string' && wellFormed.test(proposed) ? proposed : newRandomId();
  identified.set(request, requestId);
  return requestId;
}
