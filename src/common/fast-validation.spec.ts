import {
  ArrayMaxSize,
  IsArray,
  IsInt,
  IsNotEmpty,
  IsObject,
  IsOptional,
  IsString,
  Length,
  Max,
  MaxLength,
  Min,
  ValidateBy,
  ValidateIf,
  ValidateNested,
  validateSync,
  type ValidationError,
  type ValidationOptions,
} from 'class-validator';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ErrorDetail } from './chat-error.js';
import { rulesOf, unknownProperties } from './fast-validation.js';

class Parent {
  @IsString()
  @IsNotEmpty()
  name!: string;
}

class Payload extends Parent {
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(10)
  count?: number;

  @IsOptional()
  @IsArray()
  @ArrayMaxSize(3)
  @IsString({ each: true })
  @Length(1, 4, { each: true })
  tags?: string[];

  @ValidateIf((payload: Payload) => payload.count === undefined)
  @IsObject()
  content!: object;
}

class Nested {
  @ValidateNested()
  @IsObject()
  inner!: Parent;
}

class Grouped {
  @IsString({ groups: ['some'] })
  name!: string;
}

/** Holds of everything, and notes what it is asked about. */
function NotedBy(asked: unknown[], validation?: ValidationOptions): PropertyDecorator {
  return ValidateBy({ name: 'noted', validator: { validate: (value) => asked.push(value) > 0 } }, validation);
}

const asked: unknown[] = [];

class Measured {
  @IsOptional()
  @ArrayMaxSize(3)
  @NotedBy(asked, { each: true })
  tags?: string[];

  @IsOptional()
  @MaxLength(4)
  @NotedBy(asked)
  title?: string;
}

const options = { whitelist: true, forbidNonWhitelisted: true, forbidUnknownValues: false };

function worded(errors: ValidationError[], parent = ''): ErrorDetail[] {
  return errors.flatMap(({ property, constraints = {}, children = [] }) => {
    const path = parent === '' ? property : `${parent}.${property}`;
    const own = Object.entries(constraints).map(([name, message]) => ({
      path,
      message: name === 'whitelistValidation' ? 'is not a property of this payload' : message,
    }));
    return [...own, ...worded(children, path)];
  });
}

/** Faults as class-validator words them, and as the compiled rules do. */
function bothFaults(dtoClass: new () => object, dto: object): [ErrorDetail[], ErrorDetail[]] {
  const rules = rulesOf(dtoClass);
  const ours = [...unknownProperties(rules, dto, '', 100), ...rules.faultsOf!(dto, '', 100)];
  return [worded(validateSync(dto, options)), ours];
}

const anything = fc.oneof(
  fc.constant(undefined),
  fc.constant(null),
  fc.integer({ min: -2, max: 12 }),
  fc.double(),
  fc.string({ maxLength: 6 }),
  fc.boolean(),
  fc.array(fc.oneof(fc.string({ maxLength: 5 }), fc.integer()), { maxLength: 4 }),
  fc.object({ maxDepth: 1 }),
);

describe('the rules of a class', () => {
  it('find the faults that class-validator finds, in its words, and nothing else', () => {
    const fields = { name: anything, count: anything, tags: anything, content: anything, more: anything };
    fc.assert(
      fc.property(fc.record(fields, { requiredKeys: [] }), (values) => {
        const payload = Object.assign(new Payload(), values);
        const [theirs, ours] = bothFaults(Payload, payload);
        const isTooLong = theirs.some(({ message }) => /no more than|shorter than or equal/.test(message));
        if (isTooLong) expect(theirs).toEqual(expect.arrayContaining(ours));
        else expect(ours).toEqual(theirs);
        expect(rulesOf(Payload).holds(payload)).toBe(rulesOf(Payload).faultsOf!(payload, '', 100).length === 0);
        expect(ours.length === 0).toBe(theirs.length === 0);
      }),
      { numRuns: 2_000 },
    );
  });

  it('look into nested DTOs, and name the properties that those do not have', () => {
    const nested = (...parents: object[]) => parents.map((one) => Object.assign(new Parent(), one));
    for (const inner of [...nested({ name: 'a' }, { name: 7, more: 1 }, {}), nested({ name: 'a' }, { other: 1 })]) {
      const dto = Object.assign(new Nested(), { inner });
      const [theirs, ours] = bothFaults(Nested, dto);
      expect(ours).toEqual(theirs);
      expect(rulesOf(Nested).holds(dto)).toBe(theirs.length === 0);
    }
    expect(bothFaults(Nested, Object.assign(new Nested(), { inner: 7 }))[1]).not.toEqual([]);
  });

  it('stop at as many faults as are asked for', () => {
    const dto = Object.assign(new Nested(), { inner: Array.from({ length: 50 }, () => new Parent()) });
    expect(rulesOf(Nested).faultsOf!(dto, '', 20)).toHaveLength(20);
  });

  it('ask nothing else about what is longer than its limit', () => {
    asked.length = 0;
    for (const dto of [{ tags: ['a', 'b', 'c', 'd'] }, { title: 'x'.repeat(100_000) }]) {
      const [fault, ...others] = rulesOf(Measured).faultsOf!(Object.assign(new Measured(), dto), '', 20);
      expect([fault!.path, others]).toEqual([Object.keys(dto)[0], []]);
    }
    expect(asked).toEqual([]);
    rulesOf(Measured).holds(Object.assign(new Measured(), { tags: ['a'], title: 'b' }));
    expect(asked).toEqual(['a', 'b']);
  });

  it('leave groups to class-validator', () => {
    expect(rulesOf(Grouped).faultsOf).toBeNull();
    expect(rulesOf(Grouped).holds(Object.assign(new Grouped(), { name: 'a' }))).toBe(false);
  });
});
