import { query } from '../harness/services.mjs';

/** The common part of servers that have no conversations, only rooms by name. */
export const namedRooms = {
  orderKey: '"id":',
  direct: async (a, b) => `direct:${a}:${b}`,
  group: async (userIds) => `group:${userIds.length}`,
};

/** The same of those that store each message as a row of one table. */
export function oneTable(databaseUrl) {
  const count = 'SELECT count(*)::int AS n FROM message';
  return {
    isDurable: true,
    databaseUrl,
    stored: async () => ({ rows: (await query(databaseUrl, count))[0].n, gaps: 0 }),
  };
}
