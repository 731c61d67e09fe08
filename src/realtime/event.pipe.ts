import { Injectable, type ArgumentMetadata, type PipeTransform } from '@nestjs/common';
import { toDto } from '../common/index.js';

const undeclared = new Set<unknown>([undefined, Object, Array, String, Number, Boolean]);

/**
 * Makes an event's payload the DTO its handler declares, or refuses it.
 *
 * The dispatcher has found the payload harmless already. A DTO without properties accepts nothing
 * and `{}`.
 * @throws ChatError VALIDATION_FAILED
 */
@Injectable()
export class EventPipe implements PipeTransform {
  transform(value: unknown, { type, metatype }: ArgumentMetadata): unknown {
    if (type !== 'body' || undeclared.has(metatype)) return value;
    return toDto(metatype as new () => object, value);
  }
}
