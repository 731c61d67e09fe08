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
  Min,
  ValidateIf,
  ValidateNested,
  validateSync,
} from 'class-validator';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quickVerdict } from './fast-validation.js';

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

function faults(payload: object): number {
  return validateSync(payload, { whitelist: true, forbidNonWhitelisted: true, forbidUnknownValues: false }).length;
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

describe('quickVerdict', () => {
  it('never calls valid what class-validator refuses, and knows every valid payload', () => {
    const fields = { name: anything, count: anything, tags: anything, content: anything, more: anything };
    fc.assert(
      fc.property(fc.record(fields, { requiredKeys: [] }), (values) => {
        const payload = Object.assign(new Payload(), values);
        expect(quickVerdict(Payload)(payload)).toBe(faults(payload) === 0);
      }),
      { numRuns: 2_000 },
    );
  });

  it('leaves rules it does not know to class-validator', () => {
    const payload = Object.assign(new Nested(), { inner: Object.assign(new Parent(), { name: 'a' }) });
    expect(faults(payload)).toBe(0);
    expect(quickVerdict(Nested)(payload)).toBe(false);
  });
});
