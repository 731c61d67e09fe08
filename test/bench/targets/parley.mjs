/**
 * Parley as it is shipped, `node dist/main.js`, with everything on; only limits are raised, by
 * their settings.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../../dist/embedded/index.js';
import { startNode, stopNode } from '../harness/processes.mjs';
import { query } from '../harness/services.mjs';
import { secret, tokenFor } from '../harness/tokens.mjs';

const ownMain = fileURLToPath(new URL('../../../dist/main.js', import.meta.url));
const raisedLimits = {
  RATE_MESSAGES_PER_SECOND: '1000000',
  RATE_MESSAGES_BURST: '1000000',
  RATE_EVENTS_PER_SECOND: '1000000',
  RATE_EVENTS_BURST: '1000000',
  RATE_REQUESTS_PER_SECOND: '1000000',
  RATE_REQUESTS_BURST: '1000000',
  NEW_CONVERSATIONS_PER_DAY: '1000000',
  HANDSHAKES_PER_SECOND: '1000000',
  HANDSHAKES_BURST: '1000000',
  MAX_GROUP_SIZE: '5000',
};

/** Through Socket.IO's and Nest's public ways only (ADR-0009, ADR-0012, ADR-0016). */
const plainPaths = { COALESCE_WRITES: 'false', DIRECT_HANDLERS: 'false', DIRECT_READS: 'false' };

/**
 * @param options.nodes how many processes; more than one need Redis
 * @param options.hasRedis else ephemeral state is in memory
 * @param options.isPlain without the ways round them
 * @param options.main of another version; default: this one's
 * @param options.databaseUrl default: a new database
 * @param options.profileDir where V8 writes a processor profile at the end
 */
export async function startParley(services, name, options = {}) {
  const { nodes = 1, hasRedis = false, isPlain = false, profileDir, main = ownMain } = options;
  const databaseUrl = options.databaseUrl ?? (await services.createDatabase(name));
  const children = [];
  const urls = [];
  for (let i = 0; i < nodes; i++) {
    const port = await freePort();
    const env = {
      // No PATH: it would find a redis-server there and start one of its own.
      PATH: '',
      PORT: String(port),
      HOST: '127.0.0.1',
      DATA_DIR: join(services.dataDir, name),
      DATABASE_URL: databaseUrl,
      JWT_SECRET: secret,
      LOG_LEVEL: 'warn',
      ...raisedLimits,
      ...(isPlain ? plainPaths : {}),
      ...(hasRedis ? { REDIS_URL: services.redisUrl } : {}),
    };
    if (profileDir) mkdirSync(profileDir, { recursive: true });
    const profile = profileDir ? ['--cpu-prof', `--cpu-prof-dir=${profileDir}`] : [];
    children.push(await startNode([...profile, main], env, 'Parley listens'));
    urls.push(`http://127.0.0.1:${port}`);
  }
  return {
    name,
    urls,
    pids: children.map((child) => child.pid),
    isDurable: true,
    databaseUrl,
    orderKey: '"seq":',
    authOf: (userId) => ({ token: tokenFor(userId) }),
    direct: (a, b) => createConversation(urls[0], a, { kind: 'direct', participantIds: [b] }),
    group: (userIds) => createConversation(urls[0], userIds[0], { kind: 'group', participantIds: userIds.slice(1) }),
    stored: () => stored(databaseUrl),
    stop: () => Promise.all(children.map(stopNode)),
  };
}

async function createConversation(url, caller, body) {
  const response = await fetch(`${url}/v1/conversations`, {
    method: 'POST',
    headers: { authorization: `Bearer ${tokenFor(caller)}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  return (await response.json()).id;
}

/** @returns rows stored, and conversations whose `seq` does not count 1, 2, 3 … */
async function stored(databaseUrl) {
  const [row] = await query(
    databaseUrl,
    `SELECT coalesce(sum(n), 0)::int AS rows, count(*) FILTER (WHERE n <> last OR n <> distinct_seqs)::int AS gaps
     FROM (SELECT count(*) AS n, max(seq) AS last, count(DISTINCT seq) AS distinct_seqs
           FROM messages GROUP BY conversation_id) c`,
  );
  return row;
}
