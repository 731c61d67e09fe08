import { Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProperty, ApiSchema } from '@nestjs/swagger';
import { Actor, CurrentActor } from '../auth/index.js';
import { ApiErrors, byIds, ChatController, Costs, QueryPipe, type User } from '../common/index.js';
import { UserIdsQueryDto, userIdsOf } from '../conversations/index.js';
import { UserService } from './user.service.js';

@ApiSchema({ name: 'User' })
export class UserSchema implements User {
  @ApiProperty()
  id!: string;

  @ApiProperty({ enum: ['person', 'bot'] })
  kind!: User['kind'];

  @ApiProperty({ type: String, nullable: true })
  displayName!: string | null;

  @ApiProperty({ type: String, nullable: true })
  avatarUrl!: string | null;

  @ApiProperty({ type: 'object', additionalProperties: true, description: 'The application’s own JSON' })
  metadata!: Record<string, unknown>;
}

@ApiSchema({ name: 'UserList' })
export class UserListSchema {
  @ApiProperty({ type: () => [UserSchema] })
  items!: UserSchema[];
}

/** Profiles of others, over REST. */
@ChatController('v1/users', 'users')
export class UsersController {
  constructor(private readonly users: UserService) {}

  @Costs(byIds)
  @Get()
  @ApiOperation({
    summary: 'Reads the profiles of users whom the caller knows',
    description:
      'The caller, users with whom the caller shares a conversation, and the caller’s contacts; others are left out. ' +
      'For example `?userIds=alice,bob`, or `?userId=a%2Cb&userId=c` for ids with a comma.',
  })
  @ApiOkResponse({ type: UserListSchema })
  @ApiErrors('VALIDATION_FAILED')
  async list(@CurrentActor() actor: Actor, @Query(new QueryPipe()) query: UserIdsQueryDto): Promise<{ items: User[] }> {
    return { items: await this.users.known(actor, userIdsOf(query)) };
  }
}
