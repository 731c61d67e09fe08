import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional } from 'class-validator';
import { Bare } from '../common/index.js';
import { IsId } from '../conversations/index.js';
import type { DeletionScope } from './deletion.event.js';

/** For whom a message is deleted (REST has the message in the path). */
export class DeletionScopeDto {
  @ApiPropertyOptional({ enum: ['everyone', 'me'], default: 'everyone' })
  @IsOptional()
  @IsIn(['everyone', 'me'])
  scope?: DeletionScope | null;
}

@Bare('messageId')
export class DeleteMessageDto extends DeletionScopeDto {
  @IsId()
  messageId!: string;
}
