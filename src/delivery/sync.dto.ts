import { IsInt, IsOptional, IsString, MaxLength, Min, ValidateIf } from 'class-validator';

export class SyncDto {
  /** A `syncToken`, a `next`, or null for everything. */
  @ValidateIf((dto: SyncDto) => dto.since !== null)
  @IsString()
  @MaxLength(8_192)
  since!: string | null;

  /** Items of a page, of all kinds together. */
  @IsOptional()
  @IsInt()
  @Min(1)
  limit?: number | null;
}
