import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional, IsString, Length } from 'class-validator';
import { ConversationPageDto, IsId } from '../conversations/index.js';

/** What to search for, and which page of it. */
export class SearchMessagesDto extends ConversationPageDto {
  @ApiProperty({
    minLength: 1,
    maxLength: 256,
    example: '"release notes" -draft',
    description: 'Words that must all occur; `"…"` a phrase, `or`, `-` without',
  })
  @IsString()
  @Length(1, 256)
  q!: string;

  @ApiPropertyOptional({ format: 'uuid', description: 'Only in this conversation' })
  @IsOptional()
  @IsId()
  conversationId?: string;
}
