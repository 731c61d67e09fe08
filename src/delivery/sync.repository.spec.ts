import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, type TestDatabase } from '../../test/setup/services.js';
import { Sql, type Statement } from '../database/index.js';
import { SyncRepository } from './sync.repository.js';

interface Plan {
  'Shared Hit Blocks': number;
  'Shared Read Blocks': number;
}

/**
 * Tells how many blocks each statement touched, planned as Postgres does once it has seen a
 * statement often.
 */
class CountingSql extends Sql {
  blocks = 0;
  private readonly known = new Set<string>();

  constructor(private readonly client: pg.Pool) {
    super(client);
  }

  override async rows<T extends pg.QueryResultRow>(statement: string | Statement): Promise<T[]> {
    const { name, text, values = [] } = statement as Statement;
    if (values.length > 0) await this.explain(name!.replaceAll('-', '_'), text, values);
    return super.rows<T>(statement);
  }

  private async explain(name: string, text: string, values: unknown[]): Promise<void> {
    if (!this.known.has(name)) await this.client.query(`PREPARE ${name} AS ${text}`);
    this.known.add(name);
    const literals = values.map((value) =>
      pg.escapeLiteral(Array.isArray(value) ? `{${value.join()}}` : String(value)),
    );
    const execute = `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE ${name}(${literals.join(', ')})`;
    const { rows } = await this.client.query(execute);
    const { Plan: plan } = rows[0]['QUERY PLAN'][0] as { Plan: Plan };
    this.blocks += plan['Shared Hit Blocks'] + plan['Shared Read Blocks'];
  }
}

const messagesEach = 20;
const fillSql = `
  WITH made AS (
    INSERT INTO conversations (id, kind, last_seq, last_rev, participant_count)
    SELECT md5('c' || i)::uuid, 'group', $2, $2, 2 FROM generate_series($3::int + 1, $1::int) i RETURNING id
  ), joined AS (
    INSERT INTO participants (conversation_id, user_id, role, delivered_seq, delivered_at)
    SELECT id, u, 'member', $2, now() FROM made, unnest(ARRAY['reader', 'writer-' || id]) u
  )
  INSERT INTO messages (conversation_id, seq, rev, id, sender_id, type, content, created_at)
  SELECT id, s, s, gen_random_uuid(), 'writer-' || id, 'text', '{"text":"Hello!"}', now()
  FROM made, generate_series(1, $2::int) s`;

describe('SyncRepository', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  let sql: CountingSql;
  let repository: SyncRepository;
  let filled = 0;

  beforeAll(async () => {
    database = await createDatabase();
    pg.types.setTypeParser(20, Number);
    const options = '-c plan_cache_mode=force_generic_plan';
    pool = new pg.Pool({ connectionString: database.url, max: 1, options });
    sql = new CountingSql(pool);
    repository = new SyncRepository(sql);
  });
  afterAll(async () => {
    await pool.end();
    await database.drop();
  });

  /** Up to so many conversations, with marks as worn out as if they had been made long ago. */
  async function fill(count: number): Promise<void> {
    await pool.query(fillSql, [count, messagesEach, filled]);
    filled = count;
    await pool.query('UPDATE conversations SET marked_until = changed_xid + 1');
    await pool.query('UPDATE user_activity SET until_xid = (SELECT max(marked_until) FROM conversations)');
    await pool.query('VACUUM ANALYZE');
  }

  /** All of a first page since a position, and the blocks it touched. */
  async function page(sinceXid: number) {
    const { snapshot } = await repository.now();
    sql.blocks = 0;
    const conversationIds = await repository.changed('reader', sinceXid);
    const question = { userId: 'reader', sinceXid, conversationIds, after: null, limit: 200 };
    const found = {
      removed: await repository.removed(question),
      conversations: await repository.conversations(question),
      messages: (await repository.messages(question, snapshot)).map(({ seq }) => seq),
      hidden: await repository.hidden(question),
      receipts: (await repository.receipts(question)).map(({ userId }) => userId),
    };
    return { found, blocks: sql.blocks };
  }

  const present = async () => Number((await repository.now()).snapshot.split(':')[0]);

  it('touches what changed, not what exists', async () => {
    const blocks: [nothing: number, one: number][] = [];
    for (const count of [200, 4_000]) {
      await fill(count);
      const sinceXid = await present();
      const nothing = await page(sinceXid);
      expect(nothing.found).toEqual({ removed: [], conversations: [], messages: [], hidden: [], receipts: [] });
      const {
        rows: [{ id }],
      } = await pool.query(
        `WITH edited AS (UPDATE messages SET rev = $1, changed_xid = current_xid()
           WHERE conversation_id = md5('c100')::uuid AND seq = 3)
         UPDATE conversations SET last_rev = $1, changed_xid = current_xid() WHERE id = md5('c100')::uuid RETURNING id`,
        [messagesEach + count],
      );
      await pool.query(
        'SELECT * FROM advance_receipts(ARRAY[$1::uuid], ARRAY[$2], ARRAY[NULL::bigint], ARRAY[NULL::bigint], ARRAY[$3::bigint])',
        [id, `writer-${id}`, count === 200 ? 1 : 2],
      );
      const one = await page(sinceXid);
      expect(one.found).toMatchObject({ conversations: [id], messages: [3], receipts: [`writer-${id}`] });
      blocks.push([nothing.blocks, one.blocks]);
    }
    // Too many to be listed: then the user's conversations are walked.
    expect(await repository.changed('reader', 1)).toBeNull();
    // An index may be a level deeper.
    expect(blocks.map(([nothing]) => nothing < 60)).toEqual([true, true]);
    expect(blocks.map(([, one]) => one < 200)).toEqual([true, true]);
  });
});
