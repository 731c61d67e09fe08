import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsISO8601, IsOptional, Matches } from 'class-validator';
import { userIdPattern } from './principal.js';

const timePattern = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?)?$/;
// JavaScript takes a time of day without a zone for one of the zone of whichever server reads it.
const zonelessPattern = /T[^Z+-]+$/;

/** Whose tokens to take back, and which. */
export class RevokeTokensDto {
  @ApiProperty({ description: 'The tokens’ `sub`; need not be known here yet', minLength: 1, maxLength: 128 })
  @Matches(userIdPattern, { message: 'sub must be 1 to 128 printable characters' })
  sub!: string;

  @ApiPropertyOptional({
    description:
      'ISO 8601, UTC where it names no time zone; a date is its midnight; default: now. Covers every token whose `iat` is ' +
      'not after it, and every token without `iat`. May be ahead of the server’s clock by no more than an hour.',
    format: 'date-time',
    example: '2026-03-01T12:00:00Z',
  })
  @IsOptional()
  @IsISO8601({ strict: true }, { message: 'before must be an existing date' })
  @Matches(timePattern, { message: 'before must be an ISO 8601 time' })
  before?: string;

  /** Unix ms; undefined: now. */
  get beforeMs(): number | undefined {
    if (!this.before) return undefined;
    return Date.parse(zonelessPattern.test(this.before) ? `${this.before}Z` : this.before);
  }
}
