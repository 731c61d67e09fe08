import { Injectable, type ArgumentMetadata, type PipeTransform, type Type } from '@nestjs/common';
import { invalid } from './chat-error.js';
import { assertHarmlessPayload, maxPayloadNodes } from './payload.js';
import { hasValidationRules, toDto } from './validation.js';

type DtoClass = Type<object>;

function dtoClassOf({ metatype }: ArgumentMetadata): DtoClass | null {
  return metatype !== undefined && hasValidationRules(metatype as DtoClass) ? (metatype as DtoClass) : null;
}

/**
 * Makes a handler's payload a DTO, or refuses it. Bound to controllers and gateways (`@UsePipes(new
 * DtoPipe())`), not globally: an embedding application keeps its own pipes.
 *
 * It first checks that the input is harmless ({@link assertHarmlessPayload}), also where no DTO is
 * declared (a path parameter). `DeclaredInputGuard` checks the limit of keys, because it knows the
 * settings. Values of our own parameter decorators (`custom`) pass unchanged.
 *
 * @throws ChatError VALIDATION_FAILED
 */
@Injectable()
export class DtoPipe implements PipeTransform {
  transform(value: unknown, metadata: ArgumentMetadata): unknown {
    if (metadata.type === 'custom') return value;
    assertHarmlessPayload(value, maxPayloadNodes);
    const dtoClass = dtoClassOf(metadata);
    return dtoClass === null ? value : toDto(dtoClass, value);
  }
}

/**
 * As {@link DtoPipe}, for query strings: `@Query(new QueryPipe()) query: HistoryQuery`.
 *
 * A text becomes what its property is declared as: `number` (decimal notation only: `''`, `0x10`
 * and `1e3` stay texts and fail their rule), `boolean` (`true`, `false`), array (`a,b`, or the
 * parameter repeated; {@link Repeated} ones repeated only). Any other parameter that is repeated is
 * refused.
 *
 * @throws ChatError VALIDATION_FAILED
 */
@Injectable()
export class QueryPipe implements PipeTransform {
  transform(value: unknown, metadata: ArgumentMetadata): unknown {
    if (metadata.type === 'custom') return value;
    assertHarmlessPayload(value, maxPayloadNodes);
    const dtoClass = dtoClassOf(metadata);
    return dtoClass === null ? value : toDto(dtoClass, converted(dtoClass, value));
  }
}

const repeatedMetadata = 'parley:repeated';

/** Declares a list in a query string whose items may contain commas: the parameter is repeated. */
export function Repeated(): PropertyDecorator {
  return Reflect.metadata(repeatedMetadata, true);
}

function isRepeated(dtoClass: DtoClass, property: string): boolean {
  return Reflect.getMetadata(repeatedMetadata, dtoClass.prototype as object, property) === true;
}

function converted(dtoClass: DtoClass, query: unknown): unknown {
  // An empty parameter is left out, but for what is searched.
  const entries = Object.entries(query ?? {}).filter(([name, value]) => value !== '' || name === 'q');
  return Object.fromEntries(
    entries.map(([name, value]) => [
      name,
      isRepeated(dtoClass, name) ? [value].flat() : convert(value, name, declaredType(dtoClass, name)),
    ]),
  );
}

function declaredType(dtoClass: DtoClass, property: string): unknown {
  return Reflect.getMetadata('design:type', dtoClass.prototype as object, property);
}

function convert(value: unknown, name: string, type: unknown): unknown {
  if (type === Array) return typeof value === 'string' ? value.split(',') : value;
  if (typeof value !== 'string') throw invalid(name, 'must be given once');
  if (type === Number && /^-?\d+(\.\d+)?$/.test(value)) return Number(value);
  if (type === Boolean && (value === 'true' || value === 'false')) return value === 'true';
  return value;
}
