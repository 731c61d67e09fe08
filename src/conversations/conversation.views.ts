import { Injectable, Optional } from '@nestjs/common';
import { ChatError, type Conversation, type Participant } from '../common/index.js';
import {
  ConversationViewRepository,
  maxShownParticipants,
  type ConversationViewRow,
} from './conversation-view.repository.js';
import { isoTime, toMessage } from './message-view.js';
import { cursorsSeen, OpenReceiptVisibility, ReceiptVisibility } from './receipt.visibility.js';

/**
 * Renders conversations as the contract shows them: `unreadCount`, `lastMessage` and cursors are
 * the viewer's.
 */
@Injectable()
export class ConversationViews {
  private readonly visibility: ReceiptVisibility;

  constructor(
    private readonly repository: ConversationViewRepository,
    @Optional() visibility?: ReceiptVisibility,
  ) {
    this.visibility = visibility ?? new OpenReceiptVisibility();
  }

  /** @returns in the order of the ids; left out: those the user does not take part in */
  async forUser(userId: string, conversationIds: string[]): Promise<Conversation[]> {
    const byId = new Map((await this.render([userId], conversationIds)).map(([, view]) => [view.id, view]));
    return conversationIds.flatMap((id) => byId.get(id) ?? []);
  }

  /** @returns by user id; left out: those who do not take part */
  async forUsers(conversationId: string, userIds: string[]): Promise<Map<string, Conversation>> {
    return new Map(await this.render(userIds, [conversationId]));
  }

  /**
   * @throws ChatError NOT_FOUND when the user does not take part, or there is no such conversation
   */
  async one(userId: string, conversationId: string): Promise<Conversation> {
    const [view] = await this.forUser(userId, [conversationId]);
    if (!view) throw new ChatError('NOT_FOUND');
    return view;
  }

  /** Participants with the cursors that a viewer may see; in the order given. */
  async participantsFor(viewerId: string, participants: readonly Participant[]): Promise<Participant[]> {
    const others = participants.map(({ userId }) => userId).filter((userId) => userId !== viewerId);
    const withheld = await this.visibility.withheldFrom(viewerId, others);
    return participants.map((participant) => ({
      ...cursorsSeen(participant, withheld.get(participant.userId)),
      joinedAt: isoTime(participant.joinedAt),
    }));
  }

  private async render(userIds: string[], conversationIds: string[]): Promise<[string, Conversation][]> {
    if (userIds.length === 0 || conversationIds.length === 0) return [];
    const rows = await this.repository.read(userIds, conversationIds);
    const shown = new Map(rows.flatMap((row) => (row.participants ? [[row.id, row.participants] as const] : [])));
    return Promise.all(
      rows.map(async (row): Promise<[string, Conversation]> => {
        const me = viewerOf(row);
        const others = await this.participantsFor(row.viewer_id, withViewer(shown.get(row.id) ?? [], me));
        return [row.viewer_id, toConversation(row, me, others)];
      }),
    );
  }
}

function viewerOf(row: ConversationViewRow): Participant {
  return {
    userId: row.viewer_id,
    role: row.viewer_role,
    joinedAt: isoTime(row.viewer_joined_at),
    deliveredSeq: row.viewer_delivered_seq,
    readSeq: row.viewer_read_seq,
  };
}

/** In a large group the viewer takes the last place that is shown. */
function withViewer(participants: readonly Participant[], me: Participant): readonly Participant[] {
  const isShown = participants.some(({ userId }) => userId === me.userId);
  return isShown ? participants : [...participants.slice(0, maxShownParticipants - 1), me];
}

function toConversation(row: ConversationViewRow, me: Participant, participants: Participant[]): Conversation {
  return {
    id: row.id,
    kind: row.kind,
    title: row.title,
    lastSeq: row.last_seq,
    lastRev: row.last_rev,
    createdAt: isoTime(row.created_at),
    updatedAt: isoTime(row.updated_at),
    unreadCount: row.unread_count,
    lastMessage: row.last_message && toMessage(row.last_message),
    me,
    participants,
    participantCount: row.participant_count,
  };
}
