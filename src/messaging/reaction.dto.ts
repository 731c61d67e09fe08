import { ApiProperty } from '@nestjs/swagger';
import { IsId } from '../conversations/index.js';
import { MessageParamDto } from './edit.dto.js';
import { IsEmoji } from './reaction.emoji.js';

export class ReactionDto {
  @IsId()
  messageId!: string;

  @IsEmoji()
  emoji!: string;
}

export class ReactionParamDto extends MessageParamDto {
  @ApiProperty({ example: '👍', description: 'One emoji, percent-encoded' })
  @IsEmoji()
  emoji!: string;
}
