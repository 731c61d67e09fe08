/** Nodes for tests: in this process, or as processes of their own where one is to be killed. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { inject } from 'vitest';
import { makeSettings, settingsTable, type SettingsValues } from '../../src/config/index.js';
import { freePort } from '../../src/embedded/index.js';
import type { ParleyExtensions } from '../../src/parley.module.js';
import { createServer } from '../../src/server.js';
import { createDatabase, startDatabase, startRedis, type TestDatabase, type TestRedis } from '../setup/services.js';
import { connect, testSecret, type ConnectOptions, type TestClient } from './client.js';

type App = Awaited<ReturnType<typeof createServer>>;

export interface TestNode {
  url: string;
  /** Only of a node in this process. */
  app?: App;
  /** Only of a node that is a process. */
  process?: ChildProcess;
  stop(): Promise<void>;
}

export interface ClusterOptions {
  nodes?: number;
  /** False: the memory engine, one node. */
  redis?: boolean;
  /** True: a Postgres of its own, not only a database. */
  ownPostgres?: boolean;
  settings?: Partial<SettingsValues>;
  extensions?: ParleyExtensions;
  /** True: each node is a process of its own. */
  processes?: boolean;
}

// Limits are out of the way unless a test sets them: most tests are faster than people.
const testSettings: Partial<SettingsValues> = {
  jwtSecret: testSecret,
  logLevel: 'error',
  host: '127.0.0.1',
  drainJitterMs: 100,
  rateMessagesPerSecond: 10_000,
  rateMessagesBurst: 10_000,
  rateEventsPerSecond: 10_000,
  rateEventsBurst: 10_000,
  rateRequestsPerSecond: 10_000,
  rateRequestsBurst: 10_000,
  failedSignInsPerMinute: 1_000_000,
  newConversationsPerDay: 1_000_000,
  // A busy machine may take longer than 2 s to read; then durable events are refused.
  revocationBoundMs: 10_000,
};

async function startInProcess(settings: Partial<SettingsValues>, extensions: ParleyExtensions): Promise<TestNode> {
  const app = await createServer(makeSettings(settings), extensions);
  await app.listen(0, '127.0.0.1');
  return { url: await app.getUrl(), app, stop: () => app.close() };
}

function environmentOf(settings: Partial<SettingsValues>): NodeJS.ProcessEnv {
  const entries = Object.entries(settings) as [keyof SettingsValues, unknown][];
  return Object.fromEntries(
    entries.filter(([, value]) => value !== undefined).map(([key, value]) => [settingsTable[key].env, String(value)]),
  );
}

async function startProcess(settings: Partial<SettingsValues>): Promise<TestNode> {
  const port = await freePort();
  const child = spawn(process.execPath, [join(inject('transpiledSource'), 'main.js')], {
    // Without a Redis it keeps ephemeral state in memory: on no PATH it finds one to start.
    env: {
      PATH: settings.redisUrl ? process.env['PATH'] : '/nowhere',
      ...environmentOf({ dataDir: join(inject('runDir'), `node-${port}`), ...settings, port }),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8');
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (chunk: string) => {
      output += chunk;
      if (output.includes('Parley listens')) resolve();
    });
    child.once('exit', (code) => reject(new Error(`the node ended with ${code}: ${output}`)));
  });
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };
  return { url: `http://127.0.0.1:${port}`, process: child, stop };
}

/** Several nodes on one fresh database and one Redis of their own. */
export class TestCluster {
  readonly nodes: TestNode[] = [];
  private readonly clients: TestClient[] = [];

  private constructor(
    readonly database: TestDatabase,
    readonly redis: TestRedis | null,
    private readonly options: ClusterOptions,
  ) {}

  static async start(options: ClusterOptions = {}): Promise<TestCluster> {
    const withRedis = options.redis ?? true;
    const cluster = new TestCluster(
      await (options.ownPostgres ? startDatabase() : createDatabase()),
      withRedis ? await startRedis() : null,
      options,
    );
    for (let i = 0; i < (options.nodes ?? (withRedis ? 2 : 1)); i++) await cluster.addNode();
    return cluster;
  }

  async addNode(settings: Partial<SettingsValues> = {}): Promise<TestNode> {
    const all = {
      ...testSettings,
      databaseUrl: this.database.url,
      redisUrl: this.redis?.url,
      ...this.options.settings,
      ...settings,
    };
    const node = this.options.processes
      ? await startProcess(all)
      : await startInProcess(all, this.options.extensions ?? {});
    this.nodes.push(node);
    return node;
  }

  /** URL of a node; counts from 0 and wraps. */
  url(node = 0): string {
    return this.nodes[node % this.nodes.length]!.url;
  }

  /** A client of a node that is closed with the cluster. */
  async connect(userId: string, node = 0, options: ConnectOptions = {}): Promise<TestClient> {
    const client = await connect(this.url(node), userId, options);
    this.clients.push(client);
    return client;
  }

  async stop(): Promise<void> {
    for (const client of this.clients) client.close();
    await Promise.all(this.nodes.map((node) => node.stop()));
    await this.redis?.stop();
    await this.database.drop();
  }
}
