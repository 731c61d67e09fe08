import type pg from 'pg';

/**
 * Lets a message expire at once, by the clock of the database that decides it: no test waits for a
 * time that a busy machine may have used up before.
 */
export async function expireNow(sql: pg.Pool | pg.Client, messageIds: string[]): Promise<void> {
  await sql.query(`UPDATE messages SET expires_at = now() - interval '1 second' WHERE id = ANY($1::uuid[])`, [
    messageIds,
  ]);
}
