/**
 * One attack, in a process of its own, so that its work does not delay the bystander who is
 * measured. It gets its orders by a message, goes on until it is killed, and reports its attempts.
 */
import { io } from 'socket.io-client';
import { WebSocket } from 'ws';

export interface Orders {
  attack: keyof typeof attacks;
  /** Address of the node. */
  url: string;
  tokens: string[];
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
let attempts = 0;

/** Opens a link without signing in. */
async function openLink(url: string): Promise<WebSocket> {
  const link = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
  link.on('message', (data: Buffer) => data.toString() === '2' && link.send('3'));
  await new Promise((resolve) => {
    link.once('open', resolve);
    link.once('error', resolve);
  });
  return link;
}

function send(link: WebSocket, data: string, options: { fin?: boolean } = {}): void {
  if (link.readyState === link.OPEN) link.send(data, options);
  attempts += 1;
}

/** Keeps `count` of something going at the same time. */
async function keepGoing(count: number, act: (i: number) => Promise<unknown>): Promise<void> {
  const worker = async (i: number) => {
    for (;;) {
      await act(i).catch(() => pause(10));
      attempts += 1;
    }
  };
  await Promise.all(Array.from({ length: count }, (_, i) => worker(i)));
}

const get = async (url: string, token: string) =>
  (await fetch(url, { headers: { authorization: `Bearer ${token}` } })).arrayBuffer();

const attacks = {
  /** Within the rate of one socket. */
  async 'unknown keys'({ url, tokens }: Orders) {
    const link = await openLink(url);
    send(link, `40${JSON.stringify({ token: tokens[0] })}`);
    await pause(500);
    const keys = Object.fromEntries(Array.from({ length: 9_990 }, (_, i) => [`k${i}`, 1]));
    for (;;) {
      send(link, `42["mark-read",${JSON.stringify(keys)}]`);
      await pause(16);
    }
  },

  /** Messages that never end. */
  async 'tiny fragments'({ url }: Orders) {
    await keepGoing(100, async () => {
      const link = await openLink(url);
      for (let i = 0; i < 2_000 && link.readyState === link.OPEN; i++) {
        send(link, 'x', { fin: false });
        if (i % 100 === 0) await pause(5);
      }
      await pause(200);
      link.terminate();
    });
  },

  /** Once: each device gets what it missed. */
  async 'return at once'({ url, tokens }: Orders) {
    for (const token of tokens) {
      io(url, { transports: ['websocket'], forceNew: true, auth: { token } });
      attempts += 1;
    }
  },

  async 'parallel searches'({ url, tokens }: Orders) {
    await keepGoing(40, () => get(`${url}/v1/search/messages?q=${encodeURIComponent('"hello again"')}`, tokens[0]!));
  },

  async 'a flood of requests'({ url, tokens }: Orders) {
    await keepGoing(50, () => get(`${url}/v1/conversations?limit=200`, tokens[0]!));
  },

  async 'a flood of bad sign-ins'({ url }: Orders) {
    await keepGoing(10, async () => {
      const link = await openLink(url);
      for (let i = 0; i < 100; i++) send(link, '40{"token":"x"}');
      await pause(500);
      link.terminate();
    });
  },

  /** Tokens of a key that only a new reading of the key set could show. */
  async 'a key set that hangs'({ url, tokens }: Orders) {
    await keepGoing(tokens.length, async (i) => {
      const link = await openLink(url);
      send(link, `40${JSON.stringify({ token: tokens[i] })}`);
      await pause(1_000);
      link.terminate();
    });
  },
};

process.once('message', (orders: Orders) => {
  setInterval(() => process.send?.(attempts), 50);
  void attacks[orders.attack](orders);
});
