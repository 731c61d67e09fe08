import { inspect } from 'node:util';
import type { MetadataStorage, ValidationArguments } from 'class-validator';

type ValidationMetadata = ReturnType<MetadataStorage['getTargetValidationMetadatas']>[number];
type Worded = { defaultMessage?: (args: ValidationArguments) => string } | undefined;

/**
 * Says what a rule asks for, in class-validator's words and with its tokens (`$property`,
 * `$constraint1`), apart from `$value`: what the client sent is not sent back.
 */
export function wordingOf(metadata: ValidationMetadata, constraint: Worded, dtoClass: new () => object) {
  return (value: unknown, object: object): string => {
    const { constraints, propertyName: property } = metadata;
    const args = { targetName: dtoClass.name, property, object, value, constraints: constraints as unknown[] };
    const message = metadata.message || constraint?.defaultMessage?.(args) || 'is not valid';
    return tokensReplaced(typeof message === 'function' ? message(args) : message, args);
  };
}

function tokensReplaced(message: string, { constraints = [], property, targetName }: ValidationArguments): string {
  return message
    .replace(/\$constraint(\d+)/g, (token, number) => {
      const constraint: unknown = (constraints as unknown[])[Number(number) - 1];
      return constraint === undefined ? token : textOf(constraint);
    })
    .replace(/\$property/g, () => property)
    .replace(/\$target/g, () => targetName);
}

function textOf(constraint: unknown): string {
  if (Array.isArray(constraint)) return constraint.map(textOf).join(', ');
  return typeof constraint === 'string' ? constraint : inspect(constraint);
}
