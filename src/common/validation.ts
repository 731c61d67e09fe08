import { getMetadataStorage, validateSync, type ValidationError } from 'class-validator';
import { ChatError, type ErrorDetail } from './chat-error.js';
import { quickVerdict } from './fast-validation.js';

type DtoClass<T extends object> = new () => T;

const bareProperties = new WeakMap<object, string>();

// A payload of ten thousand faults is not worth an answer of ten thousand lines.
const maxDetails = 20;
const maxPathLength = 200;

/**
 * Class decorator: a bare string (or, for an array property, a bare array) in place of the payload
 * is taken as this property (contract, section 4: `socket.emit('join-conversation', id)`).
 */
export function Bare(property: string): ClassDecorator {
  return (target) => {
    bareProperties.set(target, property);
  };
}

function detailsOf(errors: ValidationError[], parent: string): ErrorDetail[] {
  return errors.flatMap((error) => {
    const path = (parent === '' ? error.property : `${parent}.${error.property}`).slice(0, maxPathLength);
    const own = Object.entries(error.constraints ?? {}).map(([name, message]) => ({
      path,
      message: name === 'whitelistValidation' ? 'is not a property of this payload' : message,
    }));
    return [...own, ...detailsOf(error.children ?? [], path)];
  });
}

interface DtoOptions {
  /** Where the payload stands in what the client sent. */
  path?: string;
  /** True: unknown properties are taken over, not refused. */
  isOpen?: boolean | undefined;
}

/**
 * Makes a DTO of a decoded payload, or refuses it.
 *
 * Unknown properties are refused, not ignored, unless `isOpen`. A payload left out counts as `{}`.
 * Nested DTOs are the message type registry's business, not this function's: properties are taken
 * over as they are.
 *
 * @param payload what the client sent; already found harmless ({@link assertHarmlessPayload})
 * @throws ChatError VALIDATION_FAILED with a detail per fault
 */
export function toDto<T extends object>(
  dtoClass: DtoClass<T>,
  payload: unknown,
  { path = '', isOpen = false }: DtoOptions = {},
): T {
  const dto = Object.assign(new dtoClass(), plainObject(dtoClass, payload, path));
  if (quickVerdict(dtoClass)(dto)) return dto;
  const errors = validateSync(dto, { whitelist: !isOpen, forbidNonWhitelisted: !isOpen, forbidUnknownValues: false });
  if (errors.length === 0) return dto;
  throw new ChatError('VALIDATION_FAILED', { details: detailsOf(errors, path).slice(0, maxDetails) });
}

function plainObject(dtoClass: object, payload: unknown, path: string): object {
  if (payload === undefined || payload === null) return {};
  const bareProperty = bareProperties.get(dtoClass);
  if (bareProperty !== undefined && (typeof payload === 'string' || Array.isArray(payload))) {
    return { [bareProperty]: payload };
  }
  if (typeof payload === 'object' && !Array.isArray(payload)) return payload;
  throw new ChatError('VALIDATION_FAILED', { details: [{ path, message: 'must be an object' }] });
}

/**
 * Whether a class carries any validation rule: a DTO without one would accept nothing and say
 * nothing.
 */
export function hasValidationRules(dtoClass: DtoClass<object>): boolean {
  return getMetadataStorage().getTargetValidationMetadatas(dtoClass, '', false, false).length > 0;
}
