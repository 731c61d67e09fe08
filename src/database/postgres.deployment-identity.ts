import { DeploymentIdentity } from '../common/index.js';
import type { Sql } from './sql.js';

/**
 * The identity of the database: system identifier of the server, name of the database, schema, and
 * the stored seed.
 *
 * A replica that is promoted keeps all four; a dump that is restored elsewhere keeps the seed only.
 * A role that may not read the system identifier (a managed Postgres may withhold it) goes by the
 * other three.
 */
export class PostgresDeploymentIdentity extends DeploymentIdentity {
  constructor(private readonly sql: Sql) {
    super();
  }

  override async read(): Promise<string> {
    const [place] = await this.sql.rows<{ database: string; schema: string; seed: string; isOpen: boolean }>(
      `SELECT current_database() AS database, c.relnamespace::regnamespace::text AS schema, d.seed,
              has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE') AS "isOpen"
       FROM deployment d, pg_class c WHERE c.oid = 'deployment'::regclass`,
    );
    const { database, schema, seed, isOpen } = place!;
    return JSON.stringify([isOpen ? await this.systemIdentifier() : null, database, schema, seed]);
  }

  private async systemIdentifier(): Promise<string> {
    const [row] = await this.sql.rows<{ id: string }>(
      'SELECT system_identifier::text AS id FROM pg_catalog.pg_control_system()',
    );
    return row!.id;
  }
}
