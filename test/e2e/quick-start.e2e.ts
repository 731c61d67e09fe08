/**
 * The README's "first chat in two terminals", run as written: the server with no settings but a
 * port and a place for its data, a token for each, `listen.mjs` in one process and `send.mjs` in
 * another.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { io, type Socket } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { mintDevelopmentToken } from '../../src/auth/index.js';
import { readServerSettings } from '../../src/config/index.js';
import { freePort } from '../../src/embedded/index.js';
import { spawnSource } from '../setup/node-process.js';

const examples = join(import.meta.dirname, '..', '..', 'examples');
// Whatever the machine that runs the tests has set.
const unset = {
  NODE_ENV: undefined,
  DATABASE_URL: undefined,
  REDIS_URL: undefined,
  JWT_SECRET: undefined,
  JWT_JWKS_URL: undefined,
};

/** Collects what a process prints. */
class Terminal {
  text = '';

  constructor(readonly process: ChildProcess) {
    for (const stream of [process.stdout!, process.stderr!]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => (this.text += chunk));
    }
  }

  async shows(words: string, timeoutMs = 40_000): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (!this.text.includes(words)) {
      const isOver = this.process.exitCode !== null || Date.now() > deadline;
      if (isOver) throw new Error(`not shown: ${words}\n${this.text}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async end(): Promise<number | null> {
    if (this.process.exitCode !== null) return this.process.exitCode;
    const ended = once(this.process, 'exit') as Promise<[number | null]>;
    this.process.kill('SIGTERM');
    return (await ended)[0];
  }
}

/**
 * Lets a program import `parley/client` without a build: the source that was compiled for the
 * tests.
 */
function ownPackage(): string[] {
  const client = pathToFileURL(join(inject('transpiledSource'), 'client', 'index.js')).href;
  const found = `{ url: '${client}', shortCircuit: true }`;
  const hook = `export const resolve = (name, context, next) => name === 'parley/client' ? ${found} : next(name, context);`;
  const dataUrl = (code: string) => `data:text/javascript,${encodeURIComponent(code)}`;
  return ['--import', dataUrl(`import { register } from 'node:module'; register(${JSON.stringify(dataUrl(hook))});`)];
}

// Whole processes start here, each in seconds on a busy machine.
const patienceMs = 60_000;

/** A `PATH` on which the private Redis is found, or nothing at all. */
const engines = [
  { engine: 'memory', path: () => '/nowhere', line: 'none found: ephemeral state is in memory' },
  { engine: 'Redis', path: () => dirname(inject('redisServerPath')), line: 'private, from the redis-server' },
];

describe.each(engines)(
  'the first chat of the README, on the $engine engine',
  { timeout: patienceMs },
  ({ engine, path, line }) => {
    let url: string;
    let server: Terminal;
    const terminals: Terminal[] = [];
    const sockets: Socket[] = [];

    beforeAll(async () => {
      const dataDir = join(inject('runDir'), `quick-start-${engine}`);
      await mkdir(dataDir, { mode: 0o755 });
      const port = await freePort();
      url = `http://localhost:${port}`;
      const env = { ...unset, PATH: path(), PORT: String(port), DATA_DIR: dataDir };
      server = new Terminal(await spawnSource('main.js', env));
      await server.shows('bob: ', 50_000);
    });

    afterAll(async () => {
      for (const socket of sockets) socket.disconnect();
      for (const terminal of terminals) await terminal.end();
      await server?.end();
    });

    // What `npm run -s token -- NAME` prints; src/auth/token.cli.spec.ts runs that command.
    function token(name: string): Promise<string> {
      return mintDevelopmentToken(readServerSettings({}), name);
    }

    function run(script: string, args: string[], TOKEN: string): Terminal {
      const child = spawn(process.execPath, [...ownPackage(), join(examples, script), ...args], {
        env: { ...process.env, URL: url, TOKEN, DATA: join(inject('runDir'), `chat-${engine}`) },
      });
      const terminal = new Terminal(child);
      terminals.push(terminal);
      return terminal;
    }

    async function dial(name: string): Promise<Socket> {
      const socket = io(url, { auth: { token: await token(name) }, forceNew: true });
      sockets.push(socket);
      await new Promise((resolve) => socket.once('session-ready', resolve));
      return socket;
    }

    it('says where it listens, on what it runs, and gives two tokens', () => {
      expect(server.text).toMatch(new RegExp(`Parley listens on http://\\S+:${new URL(url).port} `));
      expect(server.text).toContain('Postgres: embedded');
      expect(server.text).toContain(line);
      expect(server.text).toMatch(/alice: ey\S+\n\s+bob: ey\S+/);
    });

    it('carries a message from one terminal to the other', async () => {
      const listening = run('first-chat/listen.mjs', ['alice'], await token('bob'));
      await listening.shows('waiting for alice');
      const sending = run('first-chat/send.mjs', ['bob', 'Hello from the other terminal!'], await token('alice'));
      const ended = once(sending.process, 'close');
      await listening.shows('alice: Hello from the other terminal!');
      await sending.shows('sent as message 1');
      await ended;
      expect(sending.process.exitCode).toBe(0);
    });

    it('carries what is typed into the terminal chat of the client SDK, both ways', async () => {
      const bob = run('client/chat.mjs', ['alice'], await token('bob'));
      const alice = run('client/chat.mjs', ['bob'], await token('alice'));
      await Promise.all([bob, alice].map((terminal) => terminal.shows('[online]')));
      bob.process.stdin!.write('How are you?\n');
      await alice.shows('bob: How are you?');
      alice.process.stdin!.end('Fine.\n');
      await bob.shows('alice: Fine.');
      if (alice.process.exitCode === null) await once(alice.process, 'exit');
      expect(alice.process.exitCode).toBe(0);
    });

    it('works by exactly the client code of the README', async () => {
      const response = await fetch(`${url}/v1/conversations`, {
        method: 'POST',
        headers: { authorization: `Bearer ${await token('carol')}`, 'content-type': 'application/json' },
        body: JSON.stringify({ kind: 'direct', participantIds: ['dave'] }),
      });
      const { id: conversationId } = (await response.json()) as { id: string };
      const dave = await dial('dave');
      const heard = new Promise((resolve) => {
        dave.on('new-message', (message) => resolve(message));
      });
      const socket = await dial('carol');
      socket.emit('join-conversation', conversationId);
      socket.emit('send-message', { conversationId, content: { text: 'Hello!' }, type: 'text' });
      expect(await heard).toMatchObject({ conversationId, senderId: 'carol', seq: 1, content: { text: 'Hello!' } });
    });

    it('drains and ends with 0 on SIGTERM, its Postgres too', async () => {
      expect(await server.end()).toBe(0);
    });
  },
);
