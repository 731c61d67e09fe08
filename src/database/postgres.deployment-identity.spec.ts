import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createDatabase, type TestDatabase } from '../../test/setup/services.js';
import { runMigrations } from './migrate.js';
import { PostgresDeploymentIdentity } from './postgres.deployment-identity.js';
import { Sql } from './sql.js';

let database: TestDatabase;
const pools: pg.Pool[] = [];

async function identityOf(url: string): Promise<string> {
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  pools.push(pool);
  return new PostgresDeploymentIdentity(new Sql(pool)).read();
}

async function ask(url: string, ...statements: string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  for (const statement of statements) await client.query(statement);
  await client.end();
}

beforeAll(async () => {
  database = await createDatabase();
  await runMigrations(database.url);
});

afterAll(() => Promise.all(pools.map((pool) => pool.end())));

it('is the same for every node, and another for another database of the server', async () => {
  const identity = await identityOf(database.url);
  expect(await identityOf(database.url)).toBe(identity);
  const other = await createDatabase();
  await runMigrations(other.url);
  expect(await identityOf(other.url)).not.toBe(identity);
});

it('differs for a copy of the database under another name', async () => {
  const url = new URL(database.url);
  const name = url.pathname.slice(1);
  await Promise.all(pools.splice(0).map((pool) => pool.end()));
  const admin = new URL(url);
  admin.pathname = '/template1';
  await ask(admin.href, `CREATE DATABASE "${name}_copy" TEMPLATE "${name}"`);
  const copy = new URL(url);
  copy.pathname = `/${name}_copy`;
  expect(await identityOf(copy.href)).not.toBe(await identityOf(database.url));
});

it('goes by the rest where the role may not read the system identifier', async () => {
  const url = new URL(database.url);
  await ask(
    url.href,
    'CREATE ROLE "guest_of_identity" LOGIN PASSWORD \'guest\'',
    'GRANT SELECT ON "deployment" TO "guest_of_identity"',
  );
  const guest = new URL(url);
  [guest.username, guest.password] = ['guest_of_identity', 'guest'];
  expect(await identityOf(guest.href)).toBe(await identityOf(url.href));
  await ask(url.href, 'REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC');
  const identity = await identityOf(guest.href);
  expect(JSON.parse(identity)).toEqual([null, ...(JSON.parse(await identityOf(url.href)) as unknown[]).slice(1)]);
});
