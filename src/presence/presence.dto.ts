import { ArrayMaxSize, IsArray, IsIn, IsOptional } from 'class-validator';
import { Bare } from '../common/index.js';
import { IsUserId } from '../conversations/index.js';

// Far above any setting that decides, which the service knows.
const maxIds = 10_000;

/** The users whose presence is requested. */
@Bare('userIds')
export class UserIdsDto {
  @IsArray()
  @ArrayMaxSize(maxIds)
  @IsUserId({ each: true })
  userIds!: string[];
}

/** The status that the device shows; `online` by default. */
export class UserOnlineDto {
  @IsOptional()
  @IsIn(['online', 'away'])
  status?: 'online' | 'away';
}
