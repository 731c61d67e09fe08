import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, type TestDatabase } from '../../test/setup/services.js';
import type { Message } from '../common/index.js';
import { Sql } from '../database/index.js';
import { EverywhereSearch } from './everywhere.search.js';
import { SearchWalkRepository } from './search-walk.repository.js';
import { SearchRepository } from './search.repository.js';
import type { SearchKey } from './search.sql.js';

/** For which every word is one that many messages hold. */
class CrowdedRepository extends SearchRepository {
  override estimate(): Promise<number> {
    return Promise.resolve(Number.MAX_SAFE_INTEGER);
  }
}

// More conversations than are looked at together, some longer than what is walked for a page of 23.
const fillSql = `
  WITH made AS (
    INSERT INTO conversations (id, kind, last_seq, last_rev, participant_count, updated_at)
    SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid, 'group', n, n, 2, now() - i * interval '7 seconds'
    FROM generate_series(1, 90) i, LATERAL (SELECT CASE WHEN i % 9 = 0 THEN 300 ELSE i % 13 END AS n) s RETURNING id, last_seq, updated_at),
  joined AS (
    INSERT INTO participants (conversation_id, user_id, role, joined_seq, left_at)
    SELECT id, 'reader', 'member', CASE WHEN last_seq > 5 AND last_seq % 2 = 0 THEN 3 ELSE 0 END,
           CASE WHEN last_seq = 7 THEN now() END
    FROM made),
  said AS (
    INSERT INTO messages (conversation_id, seq, rev, id, sender_id, type, content, created_at, deleted_at)
    SELECT id, s, s, gen_random_uuid(), 'writer', 'text',
           json_build_object('text', 'every ' || CASE WHEN s % 4 = 0 THEN 'fourth ' ELSE '' END || CASE WHEN s % 50 = 1 THEN 'fiftieth' ELSE '' END),
           -- Several at one instant: ties are decided by conversation and seq.
           date_trunc('seconds', updated_at - (last_seq - s) * interval '1.7 seconds'), CASE WHEN s % 11 = 5 THEN now() END
    FROM made, generate_series(1, last_seq) s RETURNING conversation_id, seq, id)
  INSERT INTO hidden_messages (user_id, conversation_id, seq, message_id)
  SELECT 'reader', conversation_id, seq, id FROM said WHERE seq % 17 = 2`;

describe('EverywhereSearch', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  let direct: SearchRepository;
  let search: EverywhereSearch;

  beforeAll(async () => {
    database = await createDatabase();
    pg.types.setTypeParser(20, Number);
    pool = new pg.Pool({ connectionString: database.url, max: 2 });
    await pool.query(fillSql);
    const sql = new Sql(pool);
    direct = new SearchRepository(sql);
    search = new EverywhereSearch(new CrowdedRepository(sql), new SearchWalkRepository(sql));
  });

  afterAll(async () => {
    await pool.end();
    await database.drop();
  });

  const placeOf = ({ createdAt, conversationId, seq }: Message): SearchKey => ({
    createdAtMs: Date.parse(createdAt),
    conversationId,
    seq,
  });

  it.each(['every', 'fourth', 'fiftieth', '"every fourth"', 'every -fourth', 'absent', '-every'])(
    'finds by walking what the index finds, page by page: %s',
    async (q) => {
      const all = await direct.everywhere('reader', q, null, 10_000);
      const found: Message[] = [];
      for (let after: SearchKey | null = null; ; after = placeOf(found.at(-1)!)) {
        const page = await search.find({ userId: 'reader', q, after, limit: 23 });
        found.push(...page);
        if (page.length < 23) break;
      }
      expect(found.map(placeOf)).toEqual(all.map(placeOf));
      expect(all.length).toBeGreaterThan(q === 'absent' || q === '-every' ? -1 : 30);
    },
  );

  it('takes the planner’s word for how many messages hold a word', async () => {
    await pool.query('ANALYZE messages');
    expect(await direct.estimate('every')).toBeGreaterThan(1_000);
    expect(await direct.estimate('absent')).toBeLessThan(100);
  });
});
