import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsInt, IsObject, IsOptional, Max, Min } from 'class-validator';
import { IsId } from '../conversations/index.js';

/** A new content for a message (REST has the message in the path). */
export class EditBodyDto {
  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    example: { text: 'Hello again!' },
    description: 'Whole, and as the message’s type wants it',
  })
  @IsObject()
  content!: Record<string, unknown>;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, description: 'Edit only if this is still the message’s `rev`' })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(Number.MAX_SAFE_INTEGER)
  expectedRev?: number | null;
}

export class EditMessageDto extends EditBodyDto {
  @IsId()
  messageId!: string;
}

export class MessageParamDto {
  @ApiProperty({ format: 'uuid', description: 'The message’s id' })
  @IsId()
  id!: string;
}
