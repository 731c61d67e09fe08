/** Reads the final state from Postgres. Every device should have received it. */
import type { Fact, StoredMessage } from './history.js';
import type { PostgresService } from './postgres.service.js';

interface MessageRow extends Omit<StoredMessage, 'k' | 'seq' | 'rev' | 'reactions'> {
  seq: string;
  rev: string;
  reactions: Record<string, { userIds: string[] }> | null;
}

export async function readMessages(postgres: PostgresService): Promise<StoredMessage[]> {
  const rows = await postgres.rows<MessageRow>(
    `SELECT conversation_id AS c, id, seq, rev, sender_id AS sender, client_message_id AS key, reactions,
            CASE WHEN deleted_at IS NULL THEN content->>'text' END AS text
     FROM messages ORDER BY conversation_id, messages.seq`,
  );
  return rows.map((row) => ({
    ...row,
    k: 'stored-message',
    seq: Number(row.seq),
    rev: Number(row.rev),
    reactions: Object.entries(row.reactions ?? {})
      .flatMap(([emoji, { userIds }]) => userIds.map((userId) => `${emoji} ${userId}`))
      .sort(),
  }));
}

/** Everything the checker compares with. */
export async function readStored(postgres: PostgresService): Promise<Fact[]> {
  const conversations = await postgres.rows<{ c: string; seq: string; rev: string }>(
    'SELECT id AS c, last_seq AS seq, last_rev AS rev FROM conversations',
  );
  const cursors = await postgres.rows<{ c: string; user: string; delivered: string; read: string }>(
    `SELECT conversation_id AS c, user_id AS user, delivered_seq AS delivered, read_seq AS read FROM participants`,
  );
  return [
    ...(await readMessages(postgres)),
    ...conversations.map(({ c, seq, rev }): Fact => ({
      k: 'stored-conversation',
      c,
      lastSeq: Number(seq),
      lastRev: Number(rev),
    })),
    ...cursors.map(({ c, user, delivered, read }): Fact => ({
      k: 'stored-cursor',
      c,
      user,
      delivered: Number(delivered),
      read: Number(read),
    })),
  ];
}
