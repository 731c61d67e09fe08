import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { unmarked } from '../../test/support/activity-marks.js';
import { createDatabase, type TestDatabase } from '../../test/setup/services.js';
import { newId } from '../common/index.js';
import { Sql } from '../database/index.js';
import { MessageAppendRepository } from './message-append.repository.js';
import type { AppendRow, PendingMessage } from './message-draft.js';

let database: TestDatabase;
let pool: pg.Pool;
let repository: MessageAppendRepository;

beforeAll(async () => {
  database = await createDatabase();
  pg.types.setTypeParser(20, Number);
  pool = new pg.Pool({ connectionString: database.url });
  repository = new MessageAppendRepository(new Sql(pool));
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

/**
 * A conversation of `ann` and `ben`, whose names carry its id, with one message of ann's; `gone`
 * was in it.
 */
interface Scene {
  id: string;
  firstId: string;
  ann: string;
  ben: string;
  gone: string;
}

async function scene(kind = 'group'): Promise<Scene> {
  const id = newId();
  const [ann, ben, gone] = ['ann', 'ben', 'gone'].map((name) => `${name}-${id}`) as [string, string, string];
  await pool.query(
    `WITH made AS (INSERT INTO conversations (id, kind, participant_count) VALUES ($1, $2, 2) RETURNING id)
     INSERT INTO participants (conversation_id, user_id, role)
     SELECT id, u, 'member' FROM made, unnest($3::text[]) u WHERE u <> $4 OR $2 = 'group'`,
    [id, kind, [ann, ben, gone], gone],
  );
  await pool.query('UPDATE participants SET left_at = now() WHERE user_id = $1', [gone]);
  const first = pending({ conversationId: id, senderId: ann, clientMessageId: 'first', fingerprint: 'print' });
  expect((await repository.append('node', [], [first]))[0]!.outcome).toBe('appended');
  return { id, firstId: first.id, ann, ben, gone };
}

function pending(
  fields: Partial<PendingMessage> & Pick<PendingMessage, 'conversationId' | 'senderId'>,
): PendingMessage {
  const content = { text: 'A "quoted" \\ text\n' };
  return {
    id: newId(),
    clientMessageId: null,
    fingerprint: null,
    type: 'text',
    content,
    contentJson: JSON.stringify(content),
    replyTo: null,
    mentions: [],
    expiresInSeconds: null,
    connectionId: null,
    turn: null,
    ...fields,
  };
}

type Append = (message: PendingMessage) => Promise<AppendRow>;

const alone: Append = async (message) => (await repository.append('node', [], [message]))[0]!;

/** Behind a message of another conversation. */
const amongOthers: Append = async (message) => {
  const { id, ann } = await scene();
  const rows = await repository.append('node', [], [pending({ conversationId: id, senderId: ann }), message]);
  expect(rows[0]!.outcome).toBe('appended');
  return rows[1]!;
};

async function stored(id: string): Promise<Record<string, unknown> | undefined> {
  const { rows } = await pool.query<Record<string, unknown>>(
    `SELECT m.seq::int, m.rev::int, m.sender_id, m.client_message_id, m.fingerprint, m.type, m.content::text, m.reply_to,
            m.mentions, extract(epoch FROM m.expires_at - m.created_at)::int AS lifetime,
            c.last_seq::int, c.last_rev::int, c.updated_at = m.created_at AS is_latest, c.changed_xid = m.changed_xid AS is_one
     FROM messages m JOIN conversations c ON c.id = m.conversation_id WHERE m.id = $1`,
    [id],
  );
  return rows[0];
}

async function noticesOf({ outboxId }: AppendRow): Promise<unknown[]> {
  const { rows } = await pool.query<{ notices: unknown[] }>('SELECT notices FROM outbox WHERE id = $1', [outboxId]);
  return rows[0]!.notices;
}

/** By user id, of those who take part. */
async function acceptedSeqs(conversationId: string): Promise<Record<string, number | null>> {
  const { rows } = await pool.query<{ user_id: string; accepted_seq: number | null }>(
    'SELECT user_id, accepted_seq FROM participants WHERE conversation_id = $1 AND left_at IS NULL',
    [conversationId],
  );
  return Object.fromEntries(rows.map(({ user_id, accepted_seq }) => [user_id, accepted_seq]));
}

const refusals: [what: string, outcome: string, ask: (scene: Scene) => Partial<PendingMessage>][] = [
  ['of a stranger', 'not-found', () => ({ senderId: 'stranger' })],
  ['of one who has left', 'not-found', ({ gone }) => ({ senderId: gone })],
  ['to nowhere', 'not-found', () => ({ conversationId: newId() })],
  ['again', 'duplicate', () => ({ clientMessageId: 'first', fingerprint: 'print' })],
  ['again with other content', 'conflict', () => ({ clientMessageId: 'first', fingerprint: 'other' })],
  ['in reply to nothing', 'bad-reply', () => ({ replyTo: newId() })],
  ['that mentions a stranger', 'bad-mention', ({ ben }) => ({ mentions: [ben, 'stranger'] })],
  ['that mentions one who has left', 'bad-mention', ({ gone }) => ({ mentions: [gone] })],
];

describe.each([
  ['alone', alone],
  ['among others', amongOthers],
])('a message appended %s', (_, append) => {
  it('is stored with all it has, in its place, and announced', async () => {
    const { id, ann, ben, firstId } = await scene();
    const rest = { clientMessageId: `a'"{}\\,`, fingerprint: 'p', replyTo: firstId, mentions: [ann, ben] };
    const message = pending({ conversationId: id, senderId: ben, expiresInSeconds: 60, ...rest });
    const row = await append(message);
    expect(row).toMatchObject({ outcome: 'appended', firstId: null, participantsVersion: 1 });
    expect(row.message).toMatchObject({
      id: message.id,
      seq: 2,
      rev: 2,
      content: message.content,
      mentions: [ann, ben],
    });
    expect(Date.parse(row.message!.expiresAt!) - Date.parse(row.message!.createdAt)).toBe(60_000);
    expect(await stored(message.id)).toEqual({
      ...{ seq: 2, rev: 2, sender_id: ben, client_message_id: rest.clientMessageId, fingerprint: 'p', type: 'text' },
      ...{ content: message.contentJson, reply_to: firstId, mentions: [ann, ben], lifetime: 60 },
      ...{ last_seq: 2, last_rev: 2, is_latest: true, is_one: true },
    });
    const { rows } = await pool.query<{ notices: unknown[] }>('SELECT notices FROM outbox WHERE id = $1', [
      row.outboxId,
    ]);
    const payload = { conversationId: id, version: 1, fromRev: 2, toRev: 2 };
    expect(rows[0]!.notices).toContainEqual({ kind: 'messages', payload });
    expect(await unmarked(pool)).toEqual([]);
  });

  it('accepts the others once, says so, and again only after somebody has come back', async () => {
    const { id, ann, ben } = await scene();
    const write = (senderId: string) => append(pending({ conversationId: id, senderId }));
    const [first, second] = [await write(ben), await write(ben)];
    expect([first.hasAccepted, second.hasAccepted]).toEqual([true, false]);
    const notice = { kind: 'acceptance', payload: { conversationId: id, userId: ben } };
    expect(await noticesOf(first)).toContainEqual(notice);
    expect(await noticesOf(second)).not.toContainEqual(notice);
    expect(await acceptedSeqs(id)).toEqual({ [ann]: 1, [ben]: 2 });
    const { rowCount } = await pool.query(
      `WITH back AS (UPDATE participants SET rejoined_seq = 3, accepted_seq = NULL WHERE user_id = $2)
       UPDATE conversations SET rejoined_seq = 3 WHERE id = $1`,
      [id, ann],
    );
    expect(rowCount).toBe(1);
    expect([(await write(ben)).hasAccepted, (await write(ann)).hasAccepted]).toEqual([true, true]);
    expect((await write(ben)).hasAccepted).toBe(false);
    expect(await acceptedSeqs(id)).toEqual({ [ann]: 5, [ben]: 4 });
  });

  it.each(refusals)('%s is %s, and leaves everything as it is', async (_what, outcome, ask) => {
    const there = await scene();
    const message = pending({ conversationId: there.id, senderId: there.ann, ...ask(there) });
    const row = await append(message);
    const isKnown = outcome === 'duplicate' || outcome === 'conflict';
    expect(row).toMatchObject({
      outcome,
      message: null,
      firstId: isKnown ? there.firstId : null,
      hasAccepted: false,
    });
    expect((await acceptedSeqs(there.id))[there.ben]).toBeNull();
    expect(await stored(message.id)).toBeUndefined();
    expect(await stored(there.firstId)).toMatchObject({ last_seq: 1, last_rev: 1, is_latest: true });
  });

  it('may repeat one whose content was not kept, and is a duplicate whatever it holds', async () => {
    const { id, ann, firstId } = await scene();
    await pool.query('UPDATE messages SET fingerprint = NULL WHERE id = $1', [firstId]);
    const again = { clientMessageId: 'first', fingerprint: 'other' };
    expect(await append(pending({ conversationId: id, senderId: ann, ...again }))).toMatchObject({
      outcome: 'duplicate',
      firstId,
    });
  });

  it('cannot answer what has expired, was sent before its sender joined, or stands elsewhere', async () => {
    const [expired, older, here, elsewhere] = [await scene(), await scene(), await scene(), await scene()];
    await pool.query(`UPDATE messages SET expires_at = now() - interval '1 second' WHERE id = $1`, [expired.firstId]);
    await pool.query(`UPDATE participants SET joined_seq = 1 WHERE user_id = $1`, [older.ben]);
    const reply = ({ id, ben }: Scene, replyTo: string) =>
      append(pending({ conversationId: id, senderId: ben, replyTo }));
    expect((await reply(expired, expired.firstId)).outcome).toBe('bad-reply');
    expect((await reply(older, older.firstId)).outcome).toBe('bad-reply');
    expect((await reply(here, elsewhere.firstId)).outcome).toBe('bad-reply');
  });

  it('is blocked between two of whom one blocks the other, and not in a group', async () => {
    for (const [kind, outcome] of [
      ['direct', 'blocked'],
      ['group', 'appended'],
    ]) {
      const { id, ann, ben } = await scene(kind);
      await pool.query('INSERT INTO blocks (user_id, blocked_id) VALUES ($1, $2)', [ann, ben]);
      expect((await append(pending({ conversationId: id, senderId: ann }))).outcome).toBe(outcome);
      expect((await append(pending({ conversationId: id, senderId: ben }))).outcome).toBe(outcome);
    }
    const { id, ann } = await scene('direct');
    expect((await append(pending({ conversationId: id, senderId: ann }))).outcome).toBe('appended');
  });
});

describe('append', () => {
  it('removes what has been announced, also along with a single message', async () => {
    const { id, ann } = await scene();
    const { outboxId } = await alone(pending({ conversationId: id, senderId: ann }));
    await repository.append('node', [outboxId!], [pending({ conversationId: id, senderId: ann })]);
    const { rows } = await pool.query('SELECT id FROM outbox WHERE id = $1', [outboxId]);
    expect(rows).toEqual([]);
  });
});
