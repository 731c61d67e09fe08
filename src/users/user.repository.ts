import { Injectable } from '@nestjs/common';
import type { User } from '../common/index.js';
import { Sql, type SqlRunner } from '../database/index.js';
import type { Audience, Profile, ProfileChange } from './user.js';

interface ProfileRow {
  id: string;
  display_name: string | null;
  avatar_url: string | null;
  privacy_last_seen: Audience;
  privacy_online: Audience;
  privacy_groups: Audience;
  read_receipts: boolean;
  created_at: Date;
  [column: string]: unknown;
}

const columns =
  'id, display_name, avatar_url, privacy_last_seen, privacy_online, privacy_groups, read_receipts, created_at';

/** Reads and writes users by their primary key. */
@Injectable()
export class UserRepository {
  constructor(private readonly sql: Sql) {}

  /** Adds a user with the defaults; does nothing when he is there. */
  async insert(userId: string): Promise<void> {
    await this.sql.rows({
      name: 'user-insert',
      text: 'INSERT INTO users (id) VALUES ($1) ON CONFLICT (id) DO NOTHING',
      values: [userId],
    });
  }

  async read(userId: string): Promise<Profile | null> {
    const [row] = await this.sql.rows<ProfileRow>(`SELECT ${columns} FROM users WHERE id = $1`, [userId]);
    return row ? toProfile(row) : null;
  }

  /**
   * Those of the users whom `userId` knows; one who never signed in has no profile yet. By the
   * indexes of contacts and of participants.
   */
  async known(userId: string, userIds: string[]): Promise<User[]> {
    const rows = await this.sql.rows<Pick<ProfileRow, 'id' | 'display_name' | 'avatar_url'>>({
      name: 'users-known',
      text: `SELECT wanted.id, u.display_name, u.avatar_url
             FROM unnest($2::text[]) AS wanted (id) LEFT JOIN users u ON u.id = wanted.id
             WHERE wanted.id = $1
                OR EXISTS (SELECT 1 FROM contacts c WHERE c.user_id = $1 AND c.contact_id = wanted.id)
                OR EXISTS (SELECT 1 FROM participants o
                           JOIN participants me ON me.conversation_id = o.conversation_id AND me.user_id = $1
                           WHERE o.user_id = wanted.id AND o.left_at IS NULL AND me.left_at IS NULL)`,
      values: [userId, userIds],
    });
    return rows.map((row) => ({
      id: row.id,
      kind: 'person',
      displayName: row.display_name,
      avatarUrl: row.avatar_url,
      metadata: {},
    }));
  }

  /** @returns the profile after the change; null when there is no such user */
  async update(userId: string, change: ProfileChange, runner: SqlRunner = this.sql): Promise<Profile | null> {
    const { sets, values } = assignments(change);
    if (sets.length === 0) return this.read(userId);
    const [row] = await runner.rows<ProfileRow>(
      `UPDATE users SET ${sets.join(', ')} WHERE id = $1 RETURNING ${columns}`,
      [userId, ...values],
    );
    return row ? toProfile(row) : null;
  }
}

function assignments({ displayName, avatarUrl, privacy = {} }: ProfileChange): { sets: string[]; values: unknown[] } {
  const own = { display_name: displayName, avatar_url: avatarUrl };
  const choices = {
    privacy_last_seen: privacy.lastSeen,
    privacy_online: privacy.online,
    privacy_groups: privacy.groups,
    read_receipts: privacy.readReceipts,
  };
  const resets = Object.entries(choices).filter(([, value]) => value === null);
  const changes = [
    ...Object.entries(own).filter(([, value]) => value !== undefined),
    ...Object.entries(choices).filter(([, value]) => value != null),
  ];
  const sets = changes.map(([column], i) => `${column} = $${i + 2}`);
  return {
    sets: [...sets, ...resets.map(([column]) => `${column} = DEFAULT`)],
    values: changes.map(([, value]) => value),
  };
}

function toProfile(row: ProfileRow): Profile {
  return {
    id: row.id,
    kind: 'person',
    displayName: row.display_name,
    avatarUrl: row.avatar_url,
    metadata: {},
    privacy: {
      lastSeen: row.privacy_last_seen,
      online: row.privacy_online,
      groups: row.privacy_groups,
      readReceipts: row.read_receipts,
    },
    createdAt: row.created_at.toISOString(),
  };
}
