import { Injectable } from '@nestjs/common';
import type { Actor } from '../auth/index.js';
import { ChatError, invalid, type Page } from '../common/index.js';
import { Settings } from '../config/index.js';
import { BlockRepository } from './block.repository.js';
import type { UserListPageDto } from './user-list.dto.js';
import type { ListedUser } from './user-list.js';
import { UserListPager } from './user-list.pager.js';
import { VisibilityChanges } from './visibility.changes.js';

/**
 * Whom a user blocks. A block stops direct messages, presence, typing and receipts, both ways, and
 * keeps either out of groups of the other. In a common group both still see each other's messages.
 *
 * The other is not told. They notice a block by sending directly, or by receipts that are no longer
 * shown: what they see of presence and typing is what they would see of somebody who is not there.
 */
@Injectable()
export class BlockService {
  constructor(
    private readonly blocks: BlockRepository,
    private readonly changes: VisibilityChanges,
    private readonly pager: UserListPager,
    private readonly settings: Settings,
  ) {}

  /** @throws ChatError VALIDATION_FAILED */
  list(actor: Actor, query: UserListPageDto): Promise<Page<ListedUser>> {
    return this.pager.page(this.blocks, actor.userId, query);
  }

  /**
   * Blocks a user, who need not have been seen yet; repeating it is no error. Once this has
   * resolved, no direct message between the two is committed any more, on any node.
   *
   * @throws ChatError VALIDATION_FAILED (oneself) | CONFLICT (`MAX_BLOCKS`)
   */
  async add({ userId }: Actor, blockedId: string): Promise<void> {
    if (blockedId === userId) throw invalid('userId', 'must be another user');
    await this.changes.commit(userId, async ({ tx, announce }) => {
      const sharedIds = await this.blocks.lockShared(tx, userId, blockedId);
      const addition = await this.blocks.add(tx, userId, blockedId, this.settings.maxBlocks);
      if (addition === 'full') throw tooManyBlocks(this.settings.maxBlocks);
      if (addition !== 'added') return;
      await this.blocks.noteSight(tx, sharedIds, userId, blockedId);
      announce({ cause: 'blocked', userId, otherId: blockedId });
    });
  }

  /** @throws ChatError NOT_FOUND (not blocked) */
  async remove({ userId }: Actor, blockedId: string): Promise<void> {
    await this.changes.commit(userId, async ({ tx, announce }) => {
      const sharedIds = await this.blocks.lockShared(tx, userId, blockedId);
      const wasThere = await this.blocks.remove(tx, userId, blockedId);
      if (!wasThere) throw new ChatError('NOT_FOUND');
      await this.blocks.noteSight(tx, sharedIds, userId, blockedId);
      announce({ cause: 'unblocked', userId, otherId: blockedId });
    });
  }
}

function tooManyBlocks(limit: number): ChatError {
  return new ChatError('CONFLICT', { message: `A user blocks at most ${limit} others` });
}
