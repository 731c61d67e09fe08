import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  Length,
  Min,
  ValidateIf,
} from 'class-validator';
import { Bare, type ConversationKind, type Role } from '../common/index.js';
import { IsId, IsUserId } from './id.validator.js';

const maxTitleCharacters = 256;
// Far above any setting that decides, which the service knows.
const maxIds = 100_000;

/** A new conversation. */
export class CreateConversationDto {
  @ApiProperty({ enum: ['direct', 'group'] })
  @IsIn(['direct', 'group'])
  kind!: ConversationKind;

  @ApiProperty({
    type: [String],
    description: 'User ids without the caller (who is left out if named); exactly one for `direct`',
    example: ['bob'],
  })
  @IsArray()
  @ArrayMaxSize(maxIds)
  @IsUserId({ each: true })
  participantIds!: string[];

  @ApiPropertyOptional({ type: String, nullable: true, maxLength: maxTitleCharacters, description: 'Groups only' })
  @IsOptional()
  @IsString()
  @Length(1, maxTitleCharacters)
  title?: string | null;
}

export class RenameConversationDto {
  @ApiProperty({
    type: String,
    nullable: true,
    maxLength: maxTitleCharacters,
    description: 'null takes the title away',
  })
  @ValidateIf((_dto, title) => title !== null)
  @IsString()
  @Length(1, maxTitleCharacters)
  title!: string | null;
}

export class AddParticipantsDto {
  @ApiProperty({ type: [String], description: 'At most `MAX_USER_IDS`; repeats are no error', example: ['carol'] })
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(maxIds)
  @IsUserId({ each: true })
  userIds!: string[];
}

export class ChangeRoleDto {
  @ApiProperty({ enum: ['owner', 'admin', 'member'], description: '`owner` hands the ownership over' })
  @IsIn(['owner', 'admin', 'member'])
  role!: Role;
}

/** Which page of a list. */
export class ConversationPageDto {
  @ApiPropertyOptional({ description: 'The `nextCursor` of the page before' })
  @IsOptional()
  @IsString()
  @Length(1, 256)
  cursor?: string;

  @ApiPropertyOptional({ type: 'integer', default: 50, minimum: 1, description: 'At most `MAX_PAGE_SIZE`' })
  @IsOptional()
  @IsInt()
  @Min(1)
  limit?: number;
}

/** Which conversations, and which page of them. */
export class ConversationListDto extends ConversationPageDto {
  @ApiPropertyOptional({ enum: ['direct', 'group'] })
  @IsOptional()
  @IsIn(['direct', 'group'])
  kind?: ConversationKind;

  @ApiPropertyOptional({ description: 'true: those with unread messages; false: the others' })
  @IsOptional()
  @IsBoolean()
  unread?: boolean;
}

export class ConversationParamDto {
  @ApiProperty({ format: 'uuid', description: 'The conversation’s id' })
  @IsId()
  id!: string;
}

export class ParticipantParamDto extends ConversationParamDto {
  @ApiProperty({ description: 'The participant’s user id', minLength: 1, maxLength: 128 })
  @IsUserId()
  userId!: string;
}

/** Names a conversation, on the socket. */
@Bare('conversationId')
export class ConversationIdDto {
  @IsId()
  conversationId!: string;
}
