import { Matches, type ValidationOptions } from 'class-validator';
import { userIdPattern } from '../auth/index.js';
import { Spelled } from '../common/index.js';

// Any version: an id that was never handed out is NOT_FOUND, not a wrong shape. One spelling, since
// ids are cache keys: upper case is brought into lower case before.
const idPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const idLength = 36;
const lowerCase = (text: string): string => (text.length === idLength ? text.toLowerCase() : text);

/** The shape of conversation and message ids: a UUID with hyphens. It is kept in lower case. */
export function IsId(options: ValidationOptions = {}): PropertyDecorator {
  const matches = Matches(idPattern, { message: 'must be an id (a UUID)', ...options });
  const spelled = Spelled(lowerCase);
  return (target, property) => {
    matches(target, property);
    spelled(target, property);
  };
}

/** The shape of user ids: 1 to 128 printable characters. */
export function IsUserId(options: ValidationOptions = {}): PropertyDecorator {
  return Matches(userIdPattern, { message: 'must be 1 to 128 printable characters', ...options });
}

/** Whether a text has the shape {@link IsId} asks for. */
export function hasIdShape(value: unknown): value is string {
  return typeof value === 'string' && idPattern.test(value);
}

/** Whether a text has the shape {@link IsUserId} asks for. */
export function isUserId(value: unknown): value is string {
  return typeof value === 'string' && userIdPattern.test(value);
}
