/** A Postgres of one's own that answers and takes no writes. */
import { randomBytes } from 'node:crypto';
import { chown, readlink, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { inject } from 'vitest';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../src/embedded/index.js';

/** @param statements what runs there while it still takes writes */
export async function startStandby(...statements: string[]): Promise<EmbeddedPostgres> {
  const dataDir = join(inject('runDir'), `standby-${randomBytes(6).toString('hex')}`);
  const before = await startEmbeddedPostgres({ dataDir, settings: { fsync: 'off' } });
  const client = new pg.Client({ connectionString: before.url });
  await client.connect();
  for (const statement of statements) await client.query(statement);
  await client.end();
  await before.stop();
  const cluster = await readlink(join(dataDir, 'postgres')).catch(() => join(dataDir, 'postgres'));
  const mark = join(cluster, 'standby.signal');
  await writeFile(mark, '');
  const { uid, gid } = await stat(cluster);
  await chown(mark, uid, gid);
  return startEmbeddedPostgres({ dataDir, settings: { fsync: 'off' } });
}
