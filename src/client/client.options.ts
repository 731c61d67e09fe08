import type { ManagerOptions, SocketOptions } from 'socket.io-client';
import { MemoryStorage, type ClientStorage } from './client.storage.js';

/**
 * How a client connects, what it keeps, and how long it waits. Times are in milliseconds.
 *
 * @since 0.1.0
 */
export interface ClientOptions {
  /** The address of the server: `https://chat.example.com`. */
  url: string;
  /**
   * The JWT, or what gets one. A callback is asked at the first connection, `refreshBeforeMs`
   * before the token expires, and when the server has refused it; while it fails it is asked again,
   * with growing waits. A string that is refused stops the client.
   */
  token: string | (() => string | Promise<string>);
  /** Names this installation of the app; 1 to 64 of `A-Za-z0-9._-`. Default `default`. */
  deviceId?: string;
  /**
   * `manual`: a message counts as delivered when the app's handlers have taken it. `auto`
   * (default): when it has reached the device.
   */
  ackMode?: 'auto' | 'manual';
  /** Default: memory. */
  storage?: ClientStorage;
  /** Begins every key in the storage; one for each user of the app. Default `parley`. */
  storagePrefix?: string;
  /**
   * The beginning of a client without a stored position. `nothing` (default): the present; the app
   * reads older data over REST and with `getMessages`. `everything`: all conversations, messages
   * and receipts of the user.
   */
  firstSync?: 'nothing' | 'everything';
  /**
   * Items of a page of `sync` and of history, at most the server's `MAX_PAGE_SIZE`. Default 200.
   */
  pageSize?: number;
  /** Messages that may wait to be sent; more are refused with `OUTBOX_FULL`. Default 1,000. */
  outboxLimit?: number;
  /**
   * Events that may wait for the app's handlers; then the client disconnects until it has caught
   * up. Default 10,000.
   */
  inboxLimit?: number;
  /** Messages whose `rev` is remembered, to drop repeats. Default 20,000. */
  rememberedMessages?: number;
  /** Until `session-ready`. Default 10,000. */
  connectTimeoutMs?: number;
  /**
   * Until an answer, which the server gives within 3 s: one that does not come means that the link
   * is dead. Default 10,000.
   */
  requestTimeoutMs?: number;
  /** Wait before the first try again, doubled with each further one. Default 500. */
  reconnectDelayMs?: number;
  /** Default 10,000. */
  reconnectDelayMaxMs?: number;
  /** How long before its end a token is renewed. Default 60,000. */
  refreshBeforeMs?: number;
  /** Default: what the server proposes. */
  heartbeatIntervalMs?: number;
  /**
   * How long after a heartbeat its position is believed to have been heard of whole; a node takes
   * at most 5 s to tell what another has committed. Default 15,000.
   */
  positionLagMs?: number;
  /** Default `['websocket']`, which needs no sticky load balancer. */
  transports?: ('websocket' | 'polling')[];
  /** Anything else of Socket.IO's own options: `path`, `extraHeaders`, `withCredentials`, … */
  socketOptions?: Partial<ManagerOptions & SocketOptions>;
}

/** Every option with its value. */
export type ClientSettings = Required<Omit<ClientOptions, 'heartbeatIntervalMs'>> & {
  heartbeatIntervalMs: number | null;
};

const defaults = {
  deviceId: 'default',
  ackMode: 'auto' as const,
  storagePrefix: 'parley',
  firstSync: 'nothing' as const,
  pageSize: 200,
  outboxLimit: 1_000,
  inboxLimit: 10_000,
  rememberedMessages: 20_000,
  connectTimeoutMs: 10_000,
  requestTimeoutMs: 10_000,
  reconnectDelayMs: 500,
  reconnectDelayMaxMs: 10_000,
  refreshBeforeMs: 60_000,
  heartbeatIntervalMs: null,
  positionLagMs: 15_000,
  transports: ['websocket'] as ('websocket' | 'polling')[],
  socketOptions: {},
};

/** Fills in the defaults; an option that is undefined counts as left out. */
export function settingsOf(options: ClientOptions): ClientSettings {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  return { storage: new MemoryStorage(), ...defaults, ...(given as unknown as ClientOptions) };
}
