import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { IsInt, IsOptional, IsString, Length, Min } from 'class-validator';
import type { Page } from '../common/index.js';
import { IsUserId } from '../conversations/index.js';
import type { ListedUser } from './user-list.js';

/** Names a user in a path. */
export class UserParamDto {
  @ApiProperty({ minLength: 1, maxLength: 128 })
  @IsUserId()
  userId!: string;
}

/** Which page of a list of users. */
export class UserListPageDto {
  @ApiPropertyOptional({ description: 'The `nextCursor` of the page before' })
  @IsOptional()
  @IsString()
  @Length(1, 1_024)
  cursor?: string;

  @ApiPropertyOptional({ default: 50, minimum: 1, description: 'At most `MAX_PAGE_SIZE`' })
  @IsOptional()
  @IsInt()
  @Min(1)
  limit?: number;
}

@ApiSchema({ name: 'ListedUser' })
export class ListedUserSchema implements ListedUser {
  @ApiProperty()
  userId!: string;

  @ApiProperty({ format: 'date-time' })
  createdAt!: string;
}

@ApiSchema({ name: 'UserListPage' })
export class UserListPageSchema implements Page<ListedUser> {
  @ApiProperty({ type: () => [ListedUserSchema] })
  items!: ListedUser[];

  @ApiProperty({ type: String, nullable: true, description: 'null at the end' })
  nextCursor!: string | null;
}
