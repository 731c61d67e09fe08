import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsISO8601, IsOptional, Matches } from 'class-validator';
import { userIdPattern } from './principal.js';

// A time of day needs its zone: without one it would mean the zone of whichever server reads it.
const timePattern = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?$/;

/** Whose tokens to take back, and which. */
export class RevokeTokensDto {
  @ApiProperty({ description: 'The tokens’ `sub`; need not be known here yet', minLength: 1, maxLength: 128 })
  @Matches(userIdPattern, { message: 'sub must be 1 to 128 printable characters' })
  sub!: string;

  @ApiPropertyOptional({
    description:
      'ISO 8601 with a time zone, or a date (midnight, UTC); default: now. Covers every token whose `iat` is not after ' +
      'it, and every token without `iat`. May be ahead of the server’s clock by no more than `JWT_LEEWAY_SECONDS`.',
    format: 'date-time',
    example: '2026-03-01T12:00:00Z',
  })
  @IsOptional()
  @IsISO8601({ strict: true }, { message: 'before must be an existing date' })
  @Matches(timePattern, { message: 'before must be ISO 8601 with a time zone' })
  before?: string;

  /** Unix ms; undefined: now. */
  get beforeMs(): number | undefined {
    return this.before ? Date.parse(this.before) : undefined;
  }
}
