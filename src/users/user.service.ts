import { Injectable } from '@nestjs/common';
import type { Actor } from '../auth/index.js';
import type { User } from '../common/index.js';
import { UserRepository } from './user.repository.js';

/** Users as others see them. */
@Injectable()
export class UserService {
  constructor(private readonly users: UserRepository) {}

  /**
   * Those of the users whom the actor knows: the actor, contacts, and users of shared
   * conversations. Blocks change nothing.
   *
   * @returns in the order asked for, each once
   */
  async known(actor: Actor, userIds: string[]): Promise<User[]> {
    const wanted = [...new Set(userIds)];
    const byId = new Map((await this.users.known(actor.userId, wanted)).map((user) => [user.id, user]));
    return wanted.flatMap((id) => byId.get(id) ?? []);
  }
}
