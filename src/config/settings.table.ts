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
    '`production` refuses every development default; `test` behaves as `development`',
  ),
  port: setting('PORT', int(0, 65_535), 3000, 'HTTP and Socket.IO port'),
  host: setting(
    'HOST',
    z.string().min(1),
    '*',
    'Address to listen on. `*`: all addresses, IPv4 and IPv6. `localhost`: both loopback addresses',
    { shownDefault: '`localhost` with the development secret, else `*`' },
  ),
  opsPort: setting(
    'OPS_PORT',
    int(0, 65_535),
    0,
    'Port for `/metrics`, `/docs` and `/v1/auth/revoke`, which `PORT` then no longer serves. 0: no second port',
  ),
  opsHost: setting(
    'OPS_HOST',
    z.string().min(1),
    'localhost',
    'Address on which `OPS_PORT` listens; same form as `HOST`',
  ),
  publicUrl: setting(
    'PUBLIC_URL',
    urlOf('https:', 'http:'),
    undefined,
    'Address that clients use. Absolute links start with it, and its origin counts as the server’s own',
    { shownDefault: 'taken from the request' },
  ),
  databaseUrl: setting(
    'DATABASE_URL',
    databaseUrl,
    undefined,
    'Address of Postgres. Without it, the server starts an embedded Postgres',
    {
      secret: 'one',
    },
  ),
  databasePoolSize: setting('DATABASE_POOL_SIZE', int(2, 200), 10, 'Connections of one process to Postgres'),
  databaseSlowPoolSize: setting(
    'DATABASE_SLOW_POOL_SIZE',
    int(1, 200),
    4,
    'Connections for reads that may take seconds, such as searches',
  ),
  databaseTimeoutMs: setting(
    'DATABASE_TIMEOUT_MS',
    int(100, 60_000),
    2_500,
    'Time limit of a statement; above it the request fails with `UNAVAILABLE`',
  ),
  migrationsRun: setting('MIGRATIONS_RUN', bool, true, 'Whether migrations run at start'),
  dataDir: setting('DATA_DIR', z.string().min(1), '.data', 'Folder of the embedded Postgres’ data'),
  redisUrl: setting(
    'REDIS_URL',
    urlOf('redis:', 'rediss:', 'redis+sentinel:', 'rediss+sentinel:'),
    undefined,
    'Address of Redis. Several, separated by commas: nodes of a Redis Cluster, or Sentinels as `redis+sentinel://:PASSWORD@HOST:26379/MASTER,redis+sentinel://…`',
    { secret: 'one' },
  ),
  redisPrefix: setting(
    'REDIS_PREFIX',
    redisPrefix,
    'parley',
    'First part of every key and channel. Deployments on copies of one database need different prefixes',
  ),
  redisTimeoutMs: setting('REDIS_TIMEOUT_MS', int(50, 60_000), 1_000, 'Time limit of a Redis command'),
  jwtSecret: setting(
    'JWT_SECRET',
    secrets,
    undefined,
    'HS256 secret, at least 32 bytes. During rotation give several, separated by commas; the first one signs. The ' +
      'server refuses the development secret in production, with `DATABASE_URL`, and off loopback',
    { secret: 'several', shownDefault: 'a development one' },
  ),
  jwtJwksUrl: setting(
    'JWT_JWKS_URL',
    urlOf('https:', 'http:'),
    undefined,
    'Key set of an identity provider (RS256, ES256, EdDSA). With it, `JWT_SECRET` verifies no token',
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
  jwtLeewaySeconds: setting(
    'JWT_LEEWAY_SECONDS',
    int(0, 300),
    30,
    'Clock difference tolerated when a token’s times are checked',
  ),
  adminScope: setting('ADMIN_SCOPE', scopeName, 'admin', 'Scope that makes a token an administrator’s'),
  serviceScope: setting('SERVICE_SCOPE', scopeName, 'service', 'Scope that makes a token a trusted backend’s'),
  moderatorScope: setting('MODERATOR_SCOPE', scopeName, 'moderator', 'Scope that makes a token a moderator’s'),
  corsOrigins: setting(
    'CORS_ORIGINS',
    origins,
    [] as string[],
    'Browser origins that may connect, separated by commas. An entry may belong to an app ' +
      '(`capacitor://localhost`) or contain one wildcard label (`https://*.example.com`)',
    { shownDefault: 'same origin; in development also `localhost` of any port' },
  ),
  logLevel: setting(
    'LOG_LEVEL',
    z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
      error: 'must be fatal, error, warn, info, debug, trace or silent',
    }) as z.ZodType<string>,
    'info',
    'Lowest level that is logged',
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
    'Trusted proxies in front of the server: their number, or their networks (CIDR), separated by commas',
    { shownDefault: 'none' },
  ),

  maxTextCharacters: setting('MAX_TEXT_CHARACTERS', int(1, 1_000_000), 10_000, 'Maximum characters of a text message'),
  maxContentBytes: setting(
    'MAX_CONTENT_BYTES',
    int(64, 16_777_216),
    65_536,
    'Maximum bytes of a message `content` as JSON',
  ),
  maxContentKeys: setting(
    'MAX_CONTENT_KEYS',
    int(1, 10_000),
    1_000,
    'Maximum keys of a message `content`, all levels counted; above: `VALIDATION_FAILED`',
  ),
  maxPacketBytes: setting(
    'MAX_PACKET_BYTES',
    int(1_024, 16_777_216),
    131_072,
    'Maximum bytes of a packet or REST body; above: `PAYLOAD_TOO_LARGE`',
  ),
  maxTransportBytes: setting(
    'MAX_TRANSPORT_BYTES',
    int(1_024, 33_554_432),
    262_144,
    'A larger packet closes the connection',
  ),
  maxGroupSize: setting('MAX_GROUP_SIZE', int(2, 100_000), 1_024, 'Maximum participants of a group'),
  maxContacts: setting('MAX_CONTACTS', int(1, 1_000_000), 10_000, 'Maximum contacts of a user'),
  maxBlocks: setting('MAX_BLOCKS', int(1, 1_000_000), 10_000, 'Maximum users that a user may block'),
  maxUserIds: setting('MAX_USER_IDS', int(1, 10_000), 500, 'Maximum elements of `userIds` in one request'),
  maxPageSize: setting('MAX_PAGE_SIZE', int(1, 1_000), 200, 'Maximum items of a page'),
  maxMentions: setting('MAX_MENTIONS', int(0, 1_000), 50, 'Maximum mentions in a message'),
  maxReactions: setting('MAX_REACTIONS', int(1, 1_000), 20, 'Maximum different emojis on a message'),
  editWindowSeconds: setting('EDIT_WINDOW_SECONDS', int(0, 3_650 * day), 900, 'How long a sender may edit a message'),
  deleteWindowSeconds: setting(
    'DELETE_WINDOW_SECONDS',
    int(0, 3_650 * day),
    2 * day,
    'How long a sender may delete a message for everyone',
  ),
  offlineQueueTtlSeconds: setting(
    'OFFLINE_QUEUE_TTL_SECONDS',
    int(1, 3_650 * day),
    30 * day,
    'How long the offline queue of an absent device is kept',
  ),
  offlineQueueMax: setting(
    'OFFLINE_QUEUE_MAX',
    int(1, 1_000_000),
    1_000,
    'Maximum entries of a device’s offline queue; a device that misses more is served from Postgres',
  ),
  redeliveryBudgetBytes: setting(
    'REDELIVERY_BUDGET_BYTES',
    int(0, 4_294_967_296),
    0,
    'Memory of one node for redelivery to all returning devices. 0: a sixteenth of its heap',
  ),
  maxSocketsPerUser: setting('MAX_SOCKETS_PER_USER', int(1, 100_000), 20, 'Maximum simultaneous sockets of a user'),
  maxSocketBufferBytes: setting(
    'MAX_SOCKET_BUFFER_BYTES',
    int(65_536, 1_073_741_824),
    4_194_304,
    'A client that leaves more bytes unread is disconnected',
  ),
  rateMessagesPerSecond: setting(
    'RATE_MESSAGES_PER_SECOND',
    int(1, 10_000_000),
    30,
    'Messages that a user may send per second',
  ),
  rateMessagesBurst: setting('RATE_MESSAGES_BURST', int(1, 10_000_000), 60, 'Messages that a user may send at once'),
  rateEventsPerSecond: setting(
    'RATE_EVENTS_PER_SECOND',
    int(1, 10_000_000),
    100,
    'Cost units of events per second and socket',
  ),
  rateEventsBurst: setting('RATE_EVENTS_BURST', int(1, 10_000_000), 200, 'Cost units of events at once, per socket'),
  rateRequestsPerSecond: setting(
    'RATE_REQUESTS_PER_SECOND',
    int(1, 10_000_000),
    50,
    'Cost units of REST requests per second, user and node',
  ),
  rateRequestsBurst: setting(
    'RATE_REQUESTS_BURST',
    int(1, 10_000_000),
    200,
    'Cost units of REST requests at once, per user and node',
  ),
  failedSignInsPerMinute: setting(
    'FAILED_SIGN_INS_PER_MINUTE',
    int(1, 10_000_000),
    300,
    'Bad tokens from one address per minute and node; above: `RATE_LIMITED`',
  ),
  newConversationsPerDay: setting(
    'NEW_CONVERSATIONS_PER_DAY',
    int(1, 1_000_000),
    1_000,
    'Conversations that a user may create in 24 hours, over all nodes',
  ),
  maxStrangerLinks: setting(
    'MAX_STRANGER_LINKS',
    int(1, 10_000_000),
    20_000,
    'Maximum connections to a node that have not signed in',
  ),
  maxStrangerLinksPerAddress: setting(
    'MAX_STRANGER_LINKS_PER_ADDRESS',
    int(1, 10_000_000),
    2_000,
    'The same per address (IPv6: per /64 network). Behind a proxy, set `TRUST_PROXY`',
  ),
  handshakesPerSecond: setting(
    'HANDSHAKES_PER_SECOND',
    int(1, 1_000_000),
    500,
    'Handshakes per second and node. Further ones wait up to 1.5 s, then they are refused',
  ),
  handshakesBurst: setting('HANDSHAKES_BURST', int(1, 1_000_000), 1_000, 'Handshakes at once, per node'),
  presenceTtlMs: setting(
    'PRESENCE_TTL_MS',
    int(200, 3_600_000),
    30_000,
    'A dead node’s users are offline after this time',
  ),
  presenceGraceMs: setting(
    'PRESENCE_GRACE_MS',
    int(0, 600_000),
    3_000,
    'A user who reconnects within this time stays online',
  ),
  heartbeatIntervalMs: setting(
    'HEARTBEAT_INTERVAL_MS',
    int(50, 600_000),
    10_000,
    'Heartbeat interval that `session-ready` proposes to clients',
  ),
  maxTokenBytes: setting(
    'MAX_TOKEN_BYTES',
    int(256, 65_536),
    16_384,
    'The longest token; over REST the limit of headers comes first',
  ),
  typingTtlMs: setting('TYPING_TTL_MS', int(50, 600_000), 5_000, 'Typing ends by itself after this time'),
  typingMaxParticipants: setting(
    'TYPING_MAX_PARTICIPANTS',
    int(2, 100_000),
    100,
    'Typing is not broadcast in larger groups',
  ),
  pingIntervalMs: setting('PING_INTERVAL_MS', int(100, 600_000), 12_000, 'Interval of transport pings'),
  pingTimeoutMs: setting(
    'PING_TIMEOUT_MS',
    int(100, 600_000),
    10_000,
    'A connection that does not answer a ping within this time is closed',
  ),
  eventTimeoutMs: setting(
    'EVENT_TIMEOUT_MS',
    int(100, 60_000),
    2_800,
    'An event that takes longer is answered with `UNAVAILABLE`',
  ),
  revocationBoundMs: setting(
    'REVOCATION_BOUND_MS',
    int(500, 60_000),
    2_000,
    'Loss of access counts on every node within this time. A node that cannot keep it refuses durable events',
  ),
  shutdownTimeoutMs: setting(
    'SHUTDOWN_TIMEOUT_MS',
    int(100, 600_000),
    9_000,
    'A draining process exits after this time at the latest',
  ),
  drainJitterMs: setting(
    'DRAIN_JITTER_MS',
    int(0, 600_000),
    2_000,
    'A draining process spreads the closing of its sockets over this time',
  ),
  coalesceWrites: setting(
    'COALESCE_WRITES',
    bool,
    true,
    'Whether a socket’s packets are written once per event loop turn. `false`: Socket.IO’s own writes',
  ),
  directReads: setting(
    'DIRECT_READS',
    bool,
    true,
    'Whether whole frames are parsed at once. `false`: by `ws`, Engine.IO and Socket.IO',
  ),
  directHandlers: setting(
    'DIRECT_HANDLERS',
    bool,
    true,
    'Whether guards, pipes and handler run as one function. `false`: Nest’s own chain of promises',
  ),
} satisfies Record<string, SettingEntry<unknown>>;

type Table = typeof settingsTable;

/** The settings as the code uses them; see {@link settingsTable} for units, defaults and checks. */
export type SettingsValues = { [K in keyof Table]: Table[K] extends SettingEntry<infer T> ? T : never };
