import { z } from 'zod';
import type { TrustedProxies } from '../common/index.js';
import {
  bool,
  databaseUrl,
  int,
  optionalText,
  origins,
  scopeName,
  secrets,
  trustedProxies,
  urlOf,
} from './setting-checks.js';

/**
 * One setting: the environment variable that carries it, its check, its default and the line the
 * README shows for it.
 */
export interface SettingEntry<T> {
  env: string;
  check: z.ZodType<T>;
  default: T;
  meaning: string;
  /** Instead of `default` in the documents, where the default depends on other settings. */
  shownDefault?: string;
  /**
   * The variable has a variant `…_FILE`. `several`: the variable holds a list separated by commas,
   * the file one a line.
   */
  secret?: 'one' | 'several';
}

type SettingExtras = Pick<SettingEntry<unknown>, 'shownDefault' | 'secret'>;

function setting<T>(
  env: string,
  check: z.ZodType<T>,
  fallback: T,
  meaning: string,
  extras: SettingExtras = {},
): SettingEntry<T> {
  return { env, check, default: fallback, meaning, ...extras };
}

// Neither a hash tag of Redis Cluster nor a pattern of `PSUBSCRIBE` can begin in it.
const redisPrefix = z.string().regex(/^[\w.:/@-]{1,64}$/, {
  error: 'must be 1 to 64 letters, digits and . : / @ _ -',
});

const day = 86_400;

/**
 * Every setting, in the order of the documentation. Units stand in the names.
 *
 * The README's table and `docs/settings.md` are generated from this (drift is checked by `npm run
 * check`).
 */
export const settingsTable = {
  nodeEnv: setting(
    'NODE_ENV',
    z.string(),
    'development',
    '`production` refuses every development default; `development`; `test` behaves as `development`',
  ),
  port: setting('PORT', int(0, 65_535), 3000, 'HTTP and Socket.IO port'),
  host: setting(
    'HOST',
    z.string().min(1),
    '*',
    'Address to listen on; `*`: all, IPv4 and IPv6; `localhost`: both loopback addresses',
    { shownDefault: '`localhost` with the development secret, else `*`' },
  ),
  opsPort: setting(
    'OPS_PORT',
    int(0, 65_535),
    0,
    'A second port, the only one that answers `/metrics`, `/docs` and `/v1/auth/revoke`; `/health` answers on both; 0: none',
  ),
  opsHost: setting('OPS_HOST', z.string().min(1), 'localhost', 'Address of the second port, as `HOST`'),
  publicUrl: setting(
    'PUBLIC_URL',
    urlOf('https:', 'http:'),
    undefined,
    'Address that clients use, for absolute links; its origin counts as the server’s own',
    { shownDefault: 'taken from the request' },
  ),
  databaseUrl: setting('DATABASE_URL', databaseUrl, undefined, 'Postgres; left out, an embedded one is started', {
    secret: 'one',
  }),
  databasePoolSize: setting('DATABASE_POOL_SIZE', int(2, 200), 10, 'Connections of one process to Postgres'),
  databaseSlowPoolSize: setting(
    'DATABASE_SLOW_POOL_SIZE',
    int(1, 200),
    4,
    'Further connections, for reads that may take seconds, such as searches',
  ),
  databaseTimeoutMs: setting(
    'DATABASE_TIMEOUT_MS',
    int(100, 60_000),
    2_500,
    'A statement that takes longer is given up: `UNAVAILABLE`',
  ),
  migrationsRun: setting('MIGRATIONS_RUN', bool, true, 'Whether migrations run at start'),
  dataDir: setting('DATA_DIR', z.string().min(1), '.data', 'Where the embedded Postgres keeps its data'),
  redisUrl: setting(
    'REDIS_URL',
    urlOf('redis:', 'rediss:', 'redis+sentinel:', 'rediss+sentinel:'),
    undefined,
    'Redis; or, separated by commas, nodes of a Redis Cluster or Sentinels: `redis+sentinel://:PASSWORD@HOST:26379/MASTER,redis+sentinel://…`',
    { secret: 'one' },
  ),
  redisPrefix: setting(
    'REDIS_PREFIX',
    redisPrefix,
    'parley',
    'First part of every key and channel; give a physical copy of a database another one',
  ),
  redisTimeoutMs: setting('REDIS_TIMEOUT_MS', int(50, 60_000), 1_000, 'A command that takes longer is given up'),
  jwtSecret: setting(
    'JWT_SECRET',
    secrets,
    undefined,
    'HS256 secret, 32 bytes or more; several, separated by commas, while rotating: the first signs. The development ' +
      'one is refused in production, with `DATABASE_URL`, and on an address other than loopback',
    { secret: 'several', shownDefault: 'a development one' },
  ),
  jwtJwksUrl: setting(
    'JWT_JWKS_URL',
    urlOf('https:', 'http:'),
    undefined,
    'Key set of an identity provider (RS256, ES256, EdDSA) instead of a secret, which then opens nothing',
  ),
  jwtIssuer: setting(
    'JWT_ISSUER',
    optionalText,
    undefined,
    'Expected `iss`; required with `JWT_JWKS_URL` in production',
  ),
  jwtAudience: setting(
    'JWT_AUDIENCE',
    optionalText,
    undefined,
    'Expected `aud`; required with `JWT_JWKS_URL` in production',
  ),
  jwtLeewaySeconds: setting('JWT_LEEWAY_SECONDS', int(0, 300), 30, 'Tolerated difference of clocks'),
  adminScope: setting('ADMIN_SCOPE', scopeName, 'admin', 'Name of the scope of administrators'),
  serviceScope: setting('SERVICE_SCOPE', scopeName, 'service', 'Name of the scope of trusted backends'),
  moderatorScope: setting('MODERATOR_SCOPE', scopeName, 'moderator', 'Name of the scope of moderators'),
  corsOrigins: setting(
    'CORS_ORIGINS',
    origins,
    [] as string[],
    'Allowed browser origins, separated by commas, for REST and the WebSocket upgrade; also of apps ' +
      '(`capacitor://localhost`), and with one wildcard label (`https://*.example.com`)',
    { shownDefault: 'same origin; in development also `localhost` of any port' },
  ),
  logLevel: setting(
    'LOG_LEVEL',
    z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
      error: 'must be fatal, error, warn, info, debug, trace or silent',
    }) as z.ZodType<string>,
    'info',
    'Least level that is logged',
  ),
  docsEnabled: setting('DOCS_ENABLED', bool, true, 'Whether `/docs` and `/docs-json` are served', {
    shownDefault: 'on; in production only with `OPS_PORT`',
  }),
  metricsEnabled: setting('METRICS_ENABLED', bool, true, 'Whether `/metrics` is served', {
    shownDefault: 'on; in production only with `OPS_PORT`',
  }),
  trustProxy: setting<TrustedProxies>(
    'TRUST_PROXY',
    trustedProxies,
    0,
    'Proxies in front whose `X-Forwarded-*` is believed: their number, or their networks (CIDR) separated by commas',
    { shownDefault: 'none' },
  ),

  maxTextCharacters: setting('MAX_TEXT_CHARACTERS', int(1, 1_000_000), 10_000, 'Characters of a text message'),
  maxContentBytes: setting('MAX_CONTENT_BYTES', int(64, 16_777_216), 65_536, 'Bytes of a message `content` as JSON'),
  maxContentKeys: setting(
    'MAX_CONTENT_KEYS',
    int(1, 10_000),
    1_000,
    'Keys of a message `content` on all levels; above: `VALIDATION_FAILED`',
  ),
  maxPacketBytes: setting(
    'MAX_PACKET_BYTES',
    int(1_024, 16_777_216),
    131_072,
    'Bytes of one packet or REST body; above: `PAYLOAD_TOO_LARGE`',
  ),
  maxTransportBytes: setting(
    'MAX_TRANSPORT_BYTES',
    int(1_024, 33_554_432),
    262_144,
    'Bytes of one packet above which the connection is closed',
  ),
  maxGroupSize: setting('MAX_GROUP_SIZE', int(2, 100_000), 1_024, 'Participants of a group'),
  maxContacts: setting('MAX_CONTACTS', int(1, 1_000_000), 10_000, 'Contacts a user may add'),
  maxBlocks: setting('MAX_BLOCKS', int(1, 1_000_000), 10_000, 'Users one may block'),
  maxUserIds: setting('MAX_USER_IDS', int(1, 10_000), 500, 'Elements of `userIds` in one request'),
  maxPageSize: setting('MAX_PAGE_SIZE', int(1, 1_000), 200, 'Items of a page'),
  maxMentions: setting('MAX_MENTIONS', int(0, 1_000), 50, 'Mentions of one message'),
  maxReactions: setting('MAX_REACTIONS', int(1, 1_000), 20, 'Different emojis on one message'),
  editWindowSeconds: setting('EDIT_WINDOW_SECONDS', int(0, 3_650 * day), 900, 'How long a sender may edit'),
  deleteWindowSeconds: setting(
    'DELETE_WINDOW_SECONDS',
    int(0, 3_650 * day),
    2 * day,
    'How long a sender may delete for everyone',
  ),
  offlineQueueTtlSeconds: setting(
    'OFFLINE_QUEUE_TTL_SECONDS',
    int(1, 3_650 * day),
    30 * day,
    'How long a device unseen keeps its offline queue',
  ),
  offlineQueueMax: setting(
    'OFFLINE_QUEUE_MAX',
    int(1, 1_000_000),
    1_000,
    'Entries of a device in the offline queue; past it, Postgres serves',
  ),
  redeliveryBudgetBytes: setting(
    'REDELIVERY_BUDGET_BYTES',
    int(0, 4_294_967_296),
    0,
    'Memory of one process for what is on its way to all returning devices; 0: a sixteenth of its heap',
  ),
  maxSocketsPerUser: setting('MAX_SOCKETS_PER_USER', int(1, 100_000), 20, 'Sockets of one user at a time'),
  maxSocketBufferBytes: setting(
    'MAX_SOCKET_BUFFER_BYTES',
    int(65_536, 1_073_741_824),
    4_194_304,
    'Unread bytes after which a slow reader is disconnected',
  ),
  rateMessagesPerSecond: setting('RATE_MESSAGES_PER_SECOND', int(1, 10_000_000), 30, 'Messages a second of one user'),
  rateMessagesBurst: setting('RATE_MESSAGES_BURST', int(1, 10_000_000), 60, 'Messages at once of one user'),
  rateEventsPerSecond: setting(
    'RATE_EVENTS_PER_SECOND',
    int(1, 10_000_000),
    100,
    'Cost units a second of one socket’s events',
  ),
  rateEventsBurst: setting('RATE_EVENTS_BURST', int(1, 10_000_000), 200, 'Cost units at once of one socket’s events'),
  rateRequestsPerSecond: setting(
    'RATE_REQUESTS_PER_SECOND',
    int(1, 10_000_000),
    50,
    'Cost units a second of one user’s REST requests, on each node',
  ),
  rateRequestsBurst: setting(
    'RATE_REQUESTS_BURST',
    int(1, 10_000_000),
    200,
    'Cost units at once of one user’s REST requests, on each node',
  ),
  failedSignInsPerMinute: setting(
    'FAILED_SIGN_INS_PER_MINUTE',
    int(1, 10_000_000),
    300,
    'Bad tokens of one address on each node; above: `RATE_LIMITED`',
  ),
  newConversationsPerDay: setting(
    'NEW_CONVERSATIONS_PER_DAY',
    int(1, 1_000_000),
    1_000,
    'Conversations that a user creates in 24 hours, over all nodes',
  ),
  maxStrangerLinks: setting(
    'MAX_STRANGER_LINKS',
    int(1, 10_000_000),
    20_000,
    'Links of one node that have not signed in, of all addresses',
  ),
  maxStrangerLinksPerAddress: setting(
    'MAX_STRANGER_LINKS_PER_ADDRESS',
    int(1, 10_000_000),
    2_000,
    'The same of one address (IPv6: of one /64 network); behind a proxy set `TRUST_PROXY`',
  ),
  handshakesPerSecond: setting(
    'HANDSHAKES_PER_SECOND',
    int(1, 1_000_000),
    500,
    'Handshakes a second of one node; those above wait up to 1.5 s, then they are refused',
  ),
  handshakesBurst: setting('HANDSHAKES_BURST', int(1, 1_000_000), 1_000, 'Handshakes at once of one node'),
  presenceTtlMs: setting('PRESENCE_TTL_MS', int(200, 3_600_000), 30_000, 'After this a dead node’s users are offline'),
  presenceGraceMs: setting('PRESENCE_GRACE_MS', int(0, 600_000), 3_000, 'How long a disconnect waits for a reconnect'),
  heartbeatIntervalMs: setting(
    'HEARTBEAT_INTERVAL_MS',
    int(50, 600_000),
    10_000,
    'Heartbeat proposed to clients in `session-ready`',
  ),
  typingTtlMs: setting('TYPING_TTL_MS', int(50, 600_000), 5_000, 'After this typing ends by itself'),
  typingMaxParticipants: setting(
    'TYPING_MAX_PARTICIPANTS',
    int(2, 100_000),
    100,
    'In larger groups typing is not broadcast',
  ),
  pingIntervalMs: setting('PING_INTERVAL_MS', int(100, 600_000), 12_000, 'Interval of transport pings'),
  pingTimeoutMs: setting(
    'PING_TIMEOUT_MS',
    int(100, 600_000),
    10_000,
    'A link that does not answer a ping within this is closed',
  ),
  eventTimeoutMs: setting(
    'EVENT_TIMEOUT_MS',
    int(100, 60_000),
    2_800,
    'An event not answered within this is answered `UNAVAILABLE`',
  ),
  revocationBoundMs: setting(
    'REVOCATION_BOUND_MS',
    int(500, 60_000),
    2_000,
    'Within this, what takes access away counts on every node; a node that cannot keep it refuses durable events',
  ),
  shutdownTimeoutMs: setting(
    'SHUTDOWN_TIMEOUT_MS',
    int(100, 600_000),
    9_000,
    'After this a draining process exits anyway',
  ),
  drainJitterMs: setting(
    'DRAIN_JITTER_MS',
    int(0, 600_000),
    2_000,
    'Sockets of a draining process are closed spread over this',
  ),
  coalesceWrites: setting(
    'COALESCE_WRITES',
    bool,
    true,
    'One write per socket and turn of the event loop; `false`: Socket.IO’s own writes',
  ),
  directReads: setting(
    'DIRECT_READS',
    bool,
    true,
    'Whole frames and events read in one go; `false`: by `ws`, Engine.IO and Socket.IO',
  ),
  directHandlers: setting(
    'DIRECT_HANDLERS',
    bool,
    true,
    'Guards, pipes and handler of an event in one function; `false`: Nest’s own chain of promises',
  ),
} satisfies Record<string, SettingEntry<unknown>>;

type Table = typeof settingsTable;

/** The settings as the code uses them; see {@link settingsTable} for units, defaults and checks. */
export type SettingsValues = { [K in keyof Table]: Table[K] extends SettingEntry<infer T> ? T : never };
