import { getMetadataStorage, MetadataStorage } from 'class-validator';
import type { ErrorDetail } from './chat-error.js';
import { wordingOf } from './fault-wording.js';

export type ValidationMetadata = ReturnType<MetadataStorage['getTargetValidationMetadatas']>[number];
type DtoClass = new () => object;
type Test = (value: unknown, object: object) => boolean;

interface Rule {
  holds: Test;
  /** Says what would have been right. */
  word: (value: unknown, object: object) => string;
}

interface PropertyRules {
  /** All must hold, else the property's rules do not apply (`@IsOptional()`). */
  conditions: Test[];
  /**
   * Rules of length. They run first. If one fails, the others do not run, since their cost may grow
   * with the value.
   */
  sizes: Rule[];
  rules: Rule[];
  isNested: boolean;
}

/** The rules of one class, compiled (ADR-0010). */
export interface DtoRules {
  /** The properties that have rules. */
  readonly names: readonly string[];
  /** Whether the class has a property of this name. */
  knows(name: string): boolean;
  /**
   * Whether every rule holds. Unknown properties are not looked at. False where {@link faultsOf} is
   * null.
   */
  holds(dto: object): boolean;
  /**
   * Collects faults until there are `max`, unknown properties of nested DTOs among them. Null: the
   * class has rules that only class-validator understands (asynchronous ones, groups).
   */
  faultsOf: ((dto: object, path: string, max: number) => ErrorDetail[]) | null;
}

const compiled = new WeakMap<object, DtoRules>();
const sizeRules = new Set(['maxLength', 'isLength', 'arrayMaxSize']);
/** Paths come from the client. */
const maxPathLength = 200;

/**
 * Compiles a class's rules into plain functions, once: class-validator walks its metadata for every
 * payload, which was a fourteenth of what a send cost, and makes an error of every fault it finds,
 * however many there are (ADR-0010).
 */
export function rulesOf(dtoClass: DtoClass): DtoRules {
  const known = compiled.get(dtoClass);
  if (known) return known;
  const rules = compile(dtoClass);
  compiled.set(dtoClass, rules);
  return rules;
}

/** A client's path within the length that may be sent back. */
export function shortPath(parent: string, name: string): string {
  return (parent === '' ? name : `${parent}.${name}`).slice(0, maxPathLength);
}

function compile(dtoClass: DtoClass): DtoRules {
  const properties = new Map<string, PropertyRules>();
  let isUnderstood = true;
  for (const metadata of getMetadataStorage().getTargetValidationMetadatas(dtoClass, '', false, false)) {
    const rules = properties.get(metadata.propertyName) ?? { conditions: [], rules: [], sizes: [], isNested: false };
    properties.set(metadata.propertyName, rules);
    isUnderstood &&= add(rules, metadata, dtoClass);
  }
  const entries = [...properties];
  return {
    names: [...properties.keys()],
    knows: (name) => properties.has(name),
    holds: (dto) => isUnderstood && entries.every(([name, rules]) => holds(rules, dto, name)),
    faultsOf: isUnderstood ? (dto, path, max) => faultsOf(entries, dto, path, max) : null,
  };
}

/** @returns whether the rule is one this file knows */
function add(property: PropertyRules, metadata: ValidationMetadata, dtoClass: DtoClass): boolean {
  if (metadata.groups?.length > 0 || metadata.always) return false;
  if (metadata.type === 'whitelistValidation') return true;
  if (metadata.type === 'conditionalValidation') {
    const condition = metadata.constraints[0] as (object: object, value: unknown) => boolean;
    property.conditions.push((value, object) => condition(object, value));
    return true;
  }
  if (metadata.type === 'nestedValidation') {
    property.isNested = true;
    const isNestable = (value: unknown) => value === undefined || (typeof value === 'object' && value !== null);
    property.rules.push({ holds: isNestable, word: wordingOf(metadata, undefined, dtoClass) });
    return true;
  }
  return metadata.type === 'customValidation' && addRule(property, metadata, dtoClass);
}

function addRule(property: PropertyRules, metadata: ValidationMetadata, dtoClass: DtoClass): boolean {
  const [constraint] = getMetadataStorage().getTargetValidatorConstraints(metadata.constraintCls);
  if (!constraint || constraint.async) return false;
  const { instance, name } = constraint;
  // Made once: a validator reads it while it judges, and has no reason to keep it.
  const call = {
    targetName: dtoClass.name,
    property: metadata.propertyName,
    object: {} as object,
    value: undefined as unknown,
    constraints: metadata.constraints as unknown[],
  };
  const judged: Test = (value, object) => {
    call.object = object;
    call.value = value;
    return instance.validate(value, call) === true;
  };
  const holds = conditional(metadata, repeated(metadata, bounded(metadata, name, judged)));
  const rule = { holds, word: wordingOf(metadata, instance, dtoClass) };
  property.rules.push(rule);
  if (sizeRules.has(name)) property.sizes.push(rule);
  return true;
}

/**
 * A text is counted in characters without variation selectors, which takes as long as the text is.
 * A character has two UTF-16 units at most, and a selector may follow it: whatever is longer than
 * that is too long without counting.
 */
function bounded({ constraints }: ValidationMetadata, name: string, test: Test): Test {
  const max = Number(name === 'maxLength' ? constraints[0] : name === 'isLength' ? constraints[1] : NaN);
  if (Number.isNaN(max)) return test;
  return (value, object) => (typeof value !== 'string' || value.length <= 3 * max) && test(value, object);
}

/**
 * As in class-validator: if the value is no array, a rule for each element checks the value itself.
 */
function repeated({ each }: ValidationMetadata, test: Test): Test {
  if (!each) return test;
  return (value, object) => (Array.isArray(value) ? value.every((item) => test(item, object)) : test(value, object));
}

function conditional({ validateIf }: ValidationMetadata, test: Test): Test {
  return validateIf ? (value, object) => !validateIf(object, value) || test(value, object) : test;
}

function applies({ conditions }: PropertyRules, value: unknown, dto: object): boolean {
  for (const condition of conditions) if (!condition(value, dto)) return false;
  return true;
}

function holds(property: PropertyRules, dto: object, name: string): boolean {
  const value = (dto as Record<string, unknown>)[name];
  if (!applies(property, value, dto)) return true;
  for (const rule of property.sizes) if (!rule.holds(value, dto)) return false;
  for (const rule of property.rules) if (!rule.holds(value, dto)) return false;
  return !property.isNested || nestedOf(value).every(isValid);
}

function isValid(nested: object): boolean {
  const rules = rulesOf(nested.constructor as DtoClass);
  for (const name in nested) if (!rules.knows(name)) return false;
  return rules.holds(nested);
}

function nestedOf(value: unknown): object[] {
  const values: unknown[] = Array.isArray(value) ? value : [value];
  return values.filter((one) => typeof one === 'object' && one !== null);
}

function faultsOf(entries: [string, PropertyRules][], dto: object, path: string, max: number): ErrorDetail[] {
  const faults: ErrorDetail[] = [];
  for (const [name, property] of entries) {
    if (faults.length >= max) break;
    const value = (dto as Record<string, unknown>)[name];
    if (!applies(property, value, dto)) continue;
    const broken = brokenRules(property, value, dto);
    const at = shortPath(path, name);
    faults.push(...broken.map((rule) => ({ path: at, message: rule.word(value, dto) })));
    if (property.isNested) faults.push(...nestedFaults(value, at, max - faults.length));
  }
  return faults.slice(0, max);
}

function brokenRules({ rules, sizes }: PropertyRules, value: unknown, dto: object): Rule[] {
  const hasLength = typeof value === 'string' || Array.isArray(value);
  const tooLong = hasLength ? sizes.filter((rule) => !rule.holds(value, dto)) : [];
  return tooLong.length > 0 ? tooLong : rules.filter((rule) => !rule.holds(value, dto));
}

function nestedFaults(value: unknown, path: string, max: number): ErrorDetail[] {
  const faults: ErrorDetail[] = [];
  for (const [index, nested] of nestedOf(value).entries()) {
    if (faults.length >= max) break;
    const at = Array.isArray(value) ? shortPath(path, `${index}`) : path;
    const rules = rulesOf(nested.constructor as DtoClass);
    faults.push(...unknownProperties(rules, nested, at, max - faults.length));
    faults.push(...(rules.faultsOf?.(nested, at, max - faults.length) ?? []));
  }
  return faults;
}

/** The first `max` properties of a payload that its class does not have. */
export function unknownProperties(rules: DtoRules, payload: object, path: string, max: number): ErrorDetail[] {
  const faults: ErrorDetail[] = [];
  for (const name in payload) {
    if (faults.length >= max) break;
    if (!rules.knows(name)) faults.push({ path: shortPath(path, name), message: 'is not a property of this payload' });
  }
  return faults;
}
