import { IsArray, IsBoolean, IsInt, IsOptional, IsString } from 'class-validator';
import { describe, expect, it } from 'vitest';
import { DtoPipe, QueryPipe } from './dto.pipe.js';

class NoteDto {
  @IsString()
  text!: string;
}

class PageQuery {
  @IsOptional()
  @IsInt()
  limit?: number;

  @IsOptional()
  @IsBoolean()
  unread?: boolean;

  @IsOptional()
  @IsArray()
  @IsString({ each: true })
  userIds?: string[];

  @IsOptional()
  @IsString()
  q?: string;
}

const failed = expect.objectContaining({ code: 'VALIDATION_FAILED' });

describe('DtoPipe', () => {
  const body = (value: unknown) => new DtoPipe().transform(value, { type: 'body', metatype: NoteDto });

  it('makes a DTO of the payload', () => {
    expect(body({ text: 'hi' })).toBeInstanceOf(NoteDto);
  });

  it.each([[{ text: 7 }], [{ text: 'hi', more: 1 }], [{ text: 'a\u0000' }], [[]], ['hi'], [undefined]])(
    'refuses %j',
    (value) => {
      expect(() => body(value)).toThrow(failed);
    },
  );

  it('refuses harmful text where no DTO is declared', () => {
    expect(() => new DtoPipe().transform('a\u0000', { type: 'param', metatype: String })).toThrow(failed);
    expect(new DtoPipe().transform('a', { type: 'param', metatype: String })).toBe('a');
  });

  it('leaves alone what our own decorators bring', () => {
    const actor = { text: 7 };
    expect(new DtoPipe().transform(actor, { type: 'custom', metatype: NoteDto })).toBe(actor);
  });
});

describe('QueryPipe', () => {
  const query = (value: unknown) => new QueryPipe().transform(value, { type: 'query', metatype: PageQuery });

  it('makes of each text what its property is declared as', () => {
    const dto = query({ limit: '50', unread: 'false', userIds: 'a,b', q: '50' });
    expect(dto).toBeInstanceOf(PageQuery);
    expect(dto).toEqual({ limit: 50, unread: false, userIds: ['a', 'b'], q: '50' });
  });

  it('takes a list given by repeating the parameter, and no query at all', () => {
    expect(query({ userIds: ['a', 'b'] })).toEqual({ userIds: ['a', 'b'] });
    expect(query(undefined)).toEqual({});
  });

  it.each([['0x10'], ['1e3'], [' 5'], ['5.5'], ['NaN'], ['Infinity']])(
    'does not take %j for a whole number',
    (limit) => {
      expect(() => query({ limit })).toThrow(failed);
    },
  );

  it.each([[{ limit: ['1', '2'] }], [{ q: ['a', 'b'] }], [{ q: { a: '1' } }], [{ unread: '1' }], [{ other: '1' }]])(
    'refuses %j',
    (value) => {
      expect(() => query(value)).toThrow(failed);
    },
  );
});
