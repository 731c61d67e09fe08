import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  IsArray,
  IsInt,
  IsObject,
  IsOptional,
  IsString,
  Length,
  Matches,
  Max,
  Min,
} from 'class-validator';
import { Bare } from '../common/index.js';
import { IsId, IsUserId } from '../conversations/index.js';

const oneYearSeconds = 31_536_000;
// The highest the setting that decides may be; the drafter knows it.
const maxMentions = 1_000;

/** The body of a message, without the conversation it goes to (REST has that in the path). */
export class MessageBodyDto {
  @ApiPropertyOptional({ default: 'text', description: 'A built-in or registered message type' })
  @IsOptional()
  @IsString()
  @Matches(/^[a-z0-9][a-z0-9._-]{0,63}$/, { message: 'must be a message type name' })
  type?: string;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description:
      'By type: `text` `{ text }`; `image`, `video`, `audio`, `file` `{ url }` and more; `location` `{ latitude, longitude }` and more; ' +
      '`contact` `{ name }` and more',
    example: { text: 'Hello!' },
  })
  @IsObject()
  content!: Record<string, unknown>;

  @ApiPropertyOptional({ description: 'Makes a retry safe: one stored message per conversation, sender and this id' })
  @IsOptional()
  @IsString()
  @Length(1, 128)
  clientMessageId?: string | null;

  @ApiPropertyOptional({ format: 'uuid', description: 'A message of the same conversation' })
  @IsOptional()
  @IsId()
  replyTo?: string | null;

  @ApiPropertyOptional({ type: [String], description: 'Participants of the conversation, at most `MAX_MENTIONS` (50)' })
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(maxMentions)
  @IsUserId({ each: true })
  mentions?: string[] | null;

  @ApiPropertyOptional({
    minimum: 1,
    maximum: oneYearSeconds,
    description: 'Seconds after which it is deleted for everyone',
  })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(oneYearSeconds)
  expiresInSeconds?: number | null;
}

export class SendMessageDto extends MessageBodyDto {
  @IsId()
  conversationId!: string;
}

/** Which page of a history. */
export class MessagePageDto {
  @ApiPropertyOptional({ description: 'The newest messages below this seq' })
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  beforeSeq?: number;

  @ApiPropertyOptional({ description: 'The oldest messages above this seq; not together with beforeSeq' })
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  afterSeq?: number;

  @ApiPropertyOptional({ default: 50, minimum: 1, maximum: 200 })
  @IsOptional()
  @IsInt()
  @Min(1)
  limit?: number;
}

@Bare('conversationId')
export class GetMessagesDto extends MessagePageDto {
  @IsId()
  conversationId!: string;
}
