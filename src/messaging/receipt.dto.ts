import { ApiProperty } from '@nestjs/swagger';
import { ArrayMaxSize, ArrayMinSize, IsArray, IsInt, IsOptional, Max, Min } from 'class-validator';
import { Bare } from '../common/index.js';
import { IsId } from '../conversations/index.js';

// Far above the setting that decides, which the service knows.
const maxIds = 100_000;

/** What has arrived at the device. */
export class MarkDeliveredDto {
  @IsId()
  conversationId!: string;

  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  seq!: number;

  /** Also all changes up to this have arrived. */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  rev?: number | null;
}

/** What a person has read: exactly one of the three. */
export class MarkReadDto {
  @IsId()
  conversationId!: string;

  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  seq?: number | null;

  @IsOptional()
  @IsId()
  messageId?: string | null;

  /** The highest counts; repeats are no error. */
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(maxIds)
  @IsId({ each: true })
  messageIds?: string[] | null;
}

export class ReadBodyDto {
  @ApiProperty({ type: 'integer', minimum: 0, description: 'Everything up to this seq is read' })
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  seq!: number;
}

@Bare('messageId')
export class MessageStatusDto {
  @IsId()
  messageId!: string;
}

export class MessageStatusParamDto {
  @ApiProperty({ format: 'uuid', description: 'The message’s id' })
  @IsId()
  id!: string;
}
