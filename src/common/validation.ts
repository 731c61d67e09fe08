import { validateSync, type ValidationError } from 'class-validator';
import { ChatError, type ErrorDetail } from './chat-error.js';
import { spellCanonically } from './canonical.js';
import { rulesOf, shortPath, unknownProperties, type DtoRules } from './fast-validation.js';

type DtoClass<T extends object> = new () => T;

const bareProperties = new WeakMap<object, string>();

// A payload of ten thousand faults is not worth an answer of ten thousand lines.
const maxDetails = 20;

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
    const path = shortPath(parent, error.property);
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
  const given = plainObject(dtoClass, payload, path);
  const rules = rulesOf(dtoClass);
  const isKnown = isOpen || knowsAll(rules, given);
  const dto = Object.assign(new dtoClass(), isKnown ? given : knownPart(rules, given));
  spellCanonically(dtoClass, dto as Record<string, unknown>);
  if (isKnown && rules.holds(dto)) return dto;
  const unknown = isKnown ? [] : unknownProperties(rules, given, path, maxDetails);
  const details = [...unknown, ...faultsOf(rules, dto, path, isOpen)].slice(0, maxDetails);
  if (details.length === 0) return dto;
  throw new ChatError('VALIDATION_FAILED', { details });
}

function knowsAll(rules: DtoRules, payload: object): boolean {
  for (const name in payload) if (!rules.knows(name)) return false;
  return true;
}

/** Without the rest, which is refused anyway: what takes it over would cost by the property. */
function knownPart({ names }: DtoRules, payload: object): object {
  const given = names.filter((name) => Object.hasOwn(payload, name));
  return Object.fromEntries(given.map((name) => [name, (payload as Record<string, unknown>)[name]]));
}

function faultsOf(rules: DtoRules, dto: object, path: string, isOpen: boolean): ErrorDetail[] {
  if (rules.faultsOf) return rules.faultsOf(dto, path, maxDetails);
  const options = { whitelist: !isOpen, forbidNonWhitelisted: !isOpen, forbidUnknownValues: false };
  return detailsOf(validateSync(dto, options), path);
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
  return rulesOf(dtoClass).names.length > 0;
}
