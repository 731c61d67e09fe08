/**
 * Settings of a session that statements rely on. A database, a role or `postgresql.conf` may say
 * otherwise, for others who use the same server; each of our connections sets its own.
 */
export interface SessionTimes {
  /** After this the server gives a statement up; 0: never. */
  statementMs: number;
}

const meaning: Record<string, string> = {
  // Times and intervals are read by the driver in these forms.
  DateStyle: 'ISO, MDY',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  bytea_output: 'hex',
  extra_float_digits: '1',
  // What a text means.
  standard_conforming_strings: 'on',
  array_nulls: 'on',
  transform_null_equals: 'off',
  quote_all_identifiers: 'off',
  // Concurrent statements see what others have committed.
  default_transaction_isolation: 'read committed',
  default_transaction_deferrable: 'off',
  // Foreign keys and triggers hold.
  session_replication_role: 'origin',
  // Rows that a policy hides are left out, not refused.
  row_security: 'on',
  // A search must find all.
  gin_fuzzy_search_limit: '0',
  // A prepared statement is planned once.
  plan_cache_mode: 'auto',
  client_min_messages: 'notice',
  check_function_bodies: 'on',
  // Connections of the pool are idle for long, and transactions end by the times below.
  idle_session_timeout: '0',
  transaction_timeout: '0',
};

/**
 * Sets what differs, and says what kind of server it is. Settings that a version does not know are
 * left out, those that are right are not touched: some may be set by a superuser only.
 */
export function sessionStatement({ statementMs }: SessionTimes): { text: string; values: unknown[] } {
  const times = {
    statement_timeout: String(statementMs),
    lock_timeout: String(statementMs),
    // A frozen node must not hold a conversation's lock for longer than others wait for it.
    idle_in_transaction_session_timeout: String(statementMs),
  };
  const all = { ...meaning, ...times };
  return {
    text: `SELECT pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' AS "isReadOnly", count(set_config(name, value, false)) AS "set"
           FROM (SELECT * FROM unnest($1::text[], $2::text[])
                 UNION ALL
                 -- Else a crash of Postgres would lose what was acked.
                 SELECT 'synchronous_commit', 'on' WHERE current_setting('synchronous_commit') = 'off') AS wanted (name, value)
           WHERE current_setting(name, true) IS NOT NULL AND current_setting(name, true) IS DISTINCT FROM value`,
    values: [Object.keys(all), Object.values(all)],
  };
}
