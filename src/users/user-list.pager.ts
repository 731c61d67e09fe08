import { Injectable } from '@nestjs/common';
import { isUserId } from '../auth/index.js';
import { decodeCursor, encodeCursor, invalid, pageLimit, type Page } from '../common/index.js';
import { Settings } from '../config/index.js';
import type { UserListPageDto } from './user-list.dto.js';
import type { ListedUser } from './user-list.js';
import type { UserListRepository } from './user-list.repository.js';

const defaultLimit = 50;

/**
 * Reads lists of users page by page, in order of user id: whoever stays on the list is seen once.
 */
@Injectable()
export class UserListPager {
  constructor(private readonly settings: Settings) {}

  /** @throws ChatError VALIDATION_FAILED (a foreign cursor, a limit above `MAX_PAGE_SIZE`) */
  async page(
    list: UserListRepository,
    userId: string,
    { cursor, limit: asked }: UserListPageDto,
  ): Promise<Page<ListedUser>> {
    const limit = pageLimit(asked, defaultLimit, this.settings.maxPageSize);
    const found = await list.page(userId, cursor === undefined ? '' : placeOf(cursor), limit + 1);
    const items = found.slice(0, limit);
    const last = items.at(-1);
    return { items, nextCursor: found.length > limit && last ? encodeCursor([last.userId]) : null };
  }
}

function placeOf(cursor: string): string {
  const [userId] = decodeCursor(cursor, 1);
  if (!isUserId(userId)) throw invalid('cursor', 'not a cursor of this list');
  return userId;
}
