import { IsInt, IsOptional, IsString, Max, MaxLength, Min, ValidateIf } from 'class-validator';

const maxLimit = 200;
export const defaultSyncLimit = maxLimit;

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
  @Max(maxLimit)
  limit?: number;
}
