import { getMetadataStorage, MetadataStorage } from 'class-validator';

type ValidationMetadata = ReturnType<MetadataStorage['getTargetValidationMetadatas']>[number];
type Check = (value: unknown, object: object) => boolean;

interface PropertyChecks {
  /** All must hold, else the property's rules do not apply (`@IsOptional()`). */
  conditions: Check[];
  rules: Check[];
}

/** Says of a DTO that it is valid, or that somebody has to look closer. */
export type QuickVerdict = (dto: object) => boolean;

const verdicts = new WeakMap<object, QuickVerdict>();
const lookCloser: QuickVerdict = () => false;

/**
 * Compiles a class's rules into plain functions, once (ADR-0010): class-validator walks its
 * metadata for every payload, which was a fourteenth of what a send cost.
 *
 * True means that class-validator would find no fault either, with unknown properties forbidden.
 * False means nothing: the caller asks class-validator, which also words the fault. Rules this does
 * not know (nested, asynchronous, grouped) make every answer false, so the fast way can only be
 * missing, never wrong.
 */
export function quickVerdict(dtoClass: new () => object): QuickVerdict {
  const known = verdicts.get(dtoClass);
  if (known) return known;
  const verdict = compile(dtoClass);
  verdicts.set(dtoClass, verdict);
  return verdict;
}

function compile(dtoClass: new () => object): QuickVerdict {
  const properties = new Map<string, PropertyChecks>();
  for (const metadata of getMetadataStorage().getTargetValidationMetadatas(dtoClass, '', false, false)) {
    const checks = properties.get(metadata.propertyName) ?? { conditions: [], rules: [] };
    properties.set(metadata.propertyName, checks);
    if (!addCheck(checks, metadata, dtoClass)) return lookCloser;
  }
  const entries = [...properties];
  return (dto) => hasOnly(dto, properties) && entries.every(([name, checks]) => holds(checks, dto, name));
}

/** @returns whether the rule is one this file knows */
function addCheck(checks: PropertyChecks, metadata: ValidationMetadata, dtoClass: new () => object): boolean {
  if (metadata.groups?.length > 0 || metadata.always) return false;
  if (metadata.type === 'whitelistValidation') return true;
  if (metadata.type === 'conditionalValidation') {
    const condition = metadata.constraints[0] as (object: object, value: unknown) => boolean;
    checks.conditions.push((value, object) => condition(object, value));
    return true;
  }
  return metadata.type === 'customValidation' && addRule(checks, metadata, dtoClass);
}

function addRule(checks: PropertyChecks, metadata: ValidationMetadata, dtoClass: new () => object): boolean {
  const [constraint] = getMetadataStorage().getTargetValidatorConstraints(metadata.constraintCls);
  if (!constraint || constraint.async) return false;
  const { instance } = constraint;
  // Made once: a validator reads it while it judges, and has no reason to keep it.
  const call = {
    targetName: dtoClass.name,
    property: metadata.propertyName,
    object: {} as object,
    value: undefined as unknown,
    constraints: metadata.constraints as unknown[],
  };
  const test: Check = (value, object) => {
    call.object = object;
    call.value = value;
    return instance.validate(value, call) === true;
  };
  checks.rules.push(
    metadata.each ? (value, object) => Array.isArray(value) && value.every((item) => test(item, object)) : test,
  );
  return true;
}

function hasOnly(dto: object, properties: ReadonlyMap<string, unknown>): boolean {
  for (const name in dto) if (!properties.has(name)) return false;
  return true;
}

function holds({ conditions, rules }: PropertyChecks, dto: object, name: string): boolean {
  const value = (dto as Record<string, unknown>)[name];
  for (const condition of conditions) if (!condition(value, dto)) return true;
  for (const rule of rules) if (!rule(value, dto)) return false;
  return true;
}
