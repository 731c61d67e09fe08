import { ApiPropertyOptional } from '@nestjs/swagger';
import { ArrayMaxSize, IsArray, IsOptional } from 'class-validator';
import { invalid, Repeated } from '../common/index.js';
import { IsUserId } from './id.validator.js';

// What a query string carries (contract, section 8).
const maxUserIds = 100;

/** Names users in a query string. */
export class UserIdsQueryDto {
  @ApiPropertyOptional({ type: [String], example: ['alice', 'bob'], description: `Up to ${maxUserIds}, with commas` })
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(maxUserIds)
  @IsUserId({ each: true })
  userIds?: string[];

  @Repeated()
  @ApiPropertyOptional({
    type: [String],
    description: `One id; repeated, up to ${maxUserIds}. For ids that contain a comma`,
    style: 'form',
    explode: true,
  } as object)
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(maxUserIds)
  @IsUserId({ each: true })
  userId?: string[];
}

/** @throws ChatError VALIDATION_FAILED when there are none, or too many */
export function userIdsOf({ userIds = [], userId = [] }: UserIdsQueryDto): string[] {
  const all = [...userIds, ...userId];
  if (all.length === 0) throw invalid('userIds', 'userIds or userId is required');
  if (all.length > maxUserIds) throw invalid('userIds', `at most ${maxUserIds}`);
  return all;
}
