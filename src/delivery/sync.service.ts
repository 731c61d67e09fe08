import { Injectable } from '@nestjs/common';
import type { Actor } from '../auth/index.js';
import { pageLimit, type Conversation, type Message } from '../common/index.js';
import { Settings } from '../config/index.js';
import {
  ConversationViews,
  cursorsSeen,
  isoTime,
  ReceiptVisibility,
  toMessage,
  type Withheld,
} from '../conversations/index.js';
import { UserTurns } from '../database/index.js';
import type { SyncDto } from './sync.dto.js';
import { SyncRepository, type ReceiptRow, type SyncQuestion, type SyncSnapshot } from './sync.repository.js';
import { decodeSince, encodeEnd, encodePass, syncParts, type SyncPart, type SyncPass } from './sync.token.js';

const defaultLimit = 200;

/** How far a participant has come. */
export interface SyncedReceipt {
  conversationId: string;
  userId: string;
  deliveredSeq: number;
  readSeq: number;
  /** ISO 8601, UTC. */
  deliveredAt: string | null;
  readAt: string | null;
}

/** What changed for a user, each thing once and as it is now. */
export interface SyncPage {
  conversations: Conversation[];
  messages: Message[];
  receipts: SyncedReceipt[];
  hidden: { conversationId: string; messageId: string }[];
  removed: string[];
  /** To be sent as `since`: at once while `hasMore`, else whenever. */
  next: string;
  hasMore: boolean;
}

/** A part's share of a page: how many items, and where the next one goes on. */
interface Filled {
  count: number;
  last: readonly [string, string | number] | null;
}

type PartReader = (question: SyncQuestion, pass: SyncPass, page: SyncPage) => Promise<Filled>;

/**
 * Tells a client all it missed, by commit position: nothing that commits late is skipped
 * (ADR-0006).
 */
@Injectable()
export class SyncService {
  private readonly readers: Record<SyncPart, PartReader> = {
    removed: (question, pass, page) => this.readRemoved(question, pass, page),
    conversations: (question, _pass, page) => this.readConversations(question, page),
    messages: (question, pass, page) => this.readMessages(question, pass, page),
    hidden: (question, pass, page) => this.readHidden(question, pass, page),
    receipts: (question, _pass, page) => this.readReceipts(question, page),
  };

  constructor(
    private readonly repository: SyncRepository,
    private readonly views: ConversationViews,
    private readonly visibility: ReceiptVisibility,
    private readonly turns: UserTurns,
    private readonly settings: Settings,
  ) {}

  /**
   * Everything that changed for the user since a token, in pages; after the last one, `next` is the
   * token to keep.
   *
   * A pass describes the moment of its first page, and `next` names that moment: what commits
   * between pages is told by the next sync. Its cost follows what changed.
   *
   * @param dto.since null, or a token from before a restore of the database: everything there is
   * @throws ChatError VALIDATION_FAILED (never a token of this service, a limit above
   *   `MAX_PAGE_SIZE`) | UNAVAILABLE
   * @since 0.1.0
   */
  sync(actor: Actor, dto: SyncDto): Promise<SyncPage> {
    return this.turns.read(actor.userId, () => this.page(actor, dto));
  }

  private async page(actor: Actor, { since, limit }: SyncDto): Promise<SyncPage> {
    let left = pageLimit(limit, defaultLimit, this.settings.maxPageSize);
    const now = await this.repository.now();
    const pass = withEnd(decodeSince(since, now), now);
    const page = emptyPage();
    const conversationIds = await this.changedIn(actor.userId, pass);
    const parts = conversationIds?.length === 0 ? [] : syncParts.slice(syncParts.indexOf(pass.place.part));
    for (const part of parts) {
      const after = part === pass.place.part ? pass.place.after : null;
      const { count, last } = await this.readers[part](
        { userId: actor.userId, sinceXid: pass.sinceXid, conversationIds, after, limit: left },
        pass,
        page,
      );
      left -= count;
      if (left === 0) return unfinished(page, pass, part, last);
    }
    return { ...page, next: encodeEnd(pass.epoch!, pass.snapshot!) };
  }

  /** @returns null: whatever the user has, or had */
  private changedIn(userId: string, { sinceXid }: SyncPass): Promise<string[] | null> {
    return sinceXid === 0 ? Promise.resolve(null) : this.repository.changed(userId, sinceXid);
  }

  private async readRemoved(question: SyncQuestion, { sinceXid }: SyncPass, page: SyncPage): Promise<Filled> {
    // Who begins with nothing has nothing to remove.
    if (sinceXid === 0) return { count: 0, last: null };
    page.removed = await this.repository.removed(question);
    return filled(page.removed, (id) => [id, 0]);
  }

  private async readConversations(question: SyncQuestion, page: SyncPage): Promise<Filled> {
    const ids = await this.repository.conversations(question);
    page.conversations = await this.views.forUser(question.userId, ids);
    return filled(ids, (id) => [id, 0]);
  }

  private async readMessages(question: SyncQuestion, { snapshot }: SyncPass, page: SyncPage): Promise<Filled> {
    const rows = await this.repository.messages(question, snapshot!);
    page.messages = rows.filter((row) => !row.is_gone).map(toMessage);
    const gone = rows.filter((row) => row.is_gone);
    page.hidden = gone.map((row) => ({ conversationId: row.conversation_id, messageId: row.id }));
    return filled(rows, (row) => [row.conversation_id, row.rev]);
  }

  private async readHidden(question: SyncQuestion, { sinceXid }: SyncPass, page: SyncPage): Promise<Filled> {
    if (sinceXid === 0) return { count: 0, last: null };
    const rows = await this.repository.hidden(question);
    page.hidden.push(...rows.map(({ conversationId, messageId }) => ({ conversationId, messageId })));
    return filled(rows, ({ conversationId, seq }) => [conversationId, seq]);
  }

  private async readReceipts(question: SyncQuestion, page: SyncPage): Promise<Filled> {
    const rows = await this.repository.receipts(question);
    const others = [...new Set(rows.map(({ userId }) => userId))].filter((userId) => userId !== question.userId);
    const withheld = await this.visibility.withheldFrom(question.userId, others);
    const shown = rows.filter(({ userId }) => withheld.get(userId) !== 'both');
    page.receipts = shown.map((row) => receiptOf(row, withheld.get(row.userId)));
    return filled(rows, ({ conversationId, userId }) => [conversationId, userId]);
  }
}

function withEnd(pass: SyncPass, { snapshot, epoch }: SyncSnapshot): SyncPass {
  return pass.snapshot === null ? { ...pass, snapshot, epoch } : pass;
}

function emptyPage(): SyncPage {
  return { conversations: [], messages: [], receipts: [], hidden: [], removed: [], next: '', hasMore: false };
}

function filled<T>(items: T[], keyOf: (item: T) => readonly [string, string | number]): Filled {
  const last = items.at(-1);
  return { count: items.length, last: last === undefined ? null : keyOf(last) };
}

/** The page is full; whether anything follows, the next one tells. */
function unfinished(page: SyncPage, pass: SyncPass, part: SyncPart, after: Filled['last']): SyncPage {
  return { ...page, next: encodePass({ ...pass, place: { part, after } }), hasMore: true };
}

function receiptOf({ readAt, deliveredAt, ...row }: ReceiptRow, withheld: Withheld | undefined): SyncedReceipt {
  const { deliveredSeq, readSeq } = cursorsSeen(row, withheld);
  return {
    conversationId: row.conversationId,
    userId: row.userId,
    deliveredSeq,
    readSeq,
    deliveredAt: isoTime(deliveredAt),
    readAt: withheld ? null : isoTime(readAt),
  };
}
