import { Injectable } from '@nestjs/common';
import type { Actor } from '../auth/index.js';
import { UserDirectory } from './user-directory.js';
import type { Profile, ProfileChange } from './user.js';
import { UserRepository } from './user.repository.js';
import { VisibilityChanges } from './visibility.changes.js';

/** A user's own profile and privacy. */
@Injectable()
export class ProfileService {
  constructor(
    private readonly users: UserRepository,
    private readonly directory: UserDirectory,
    private readonly changes: VisibilityChanges,
  ) {}

  async get(actor: Actor): Promise<Profile> {
    return (await this.users.read(actor.userId)) ?? (await this.recreate(actor.userId, {}));
  }

  /** @param change what is left out stays; null takes away */
  async update(actor: Actor, change: ProfileChange): Promise<Profile> {
    return (await this.write(actor.userId, change)) ?? (await this.recreate(actor.userId, change));
  }

  /** For a row that was removed behind the directory's back, on another node or by hand. */
  private async recreate(userId: string, change: ProfileChange): Promise<Profile> {
    this.directory.forget(userId);
    await this.directory.ensure(userId);
    return (await this.write(userId, change))!;
  }

  /** Who remembers a user's privacy hears that it has changed. */
  private write(userId: string, change: ProfileChange): Promise<Profile | null> {
    if (!change.privacy) return this.users.update(userId, change);
    return this.changes.commit(userId, async ({ tx, announce }) => {
      const profile = await this.users.update(userId, change, tx);
      if (profile) announce({ cause: 'privacy', userId, otherId: null });
      return profile;
    });
  }
}
