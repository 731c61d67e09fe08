import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StrangerLimits } from '../../src/realtime/index.js';
import { tokenFor } from '../support/client.js';
import { TestCluster, type TestNode } from '../support/cluster.js';
import { RawSocket } from '../support/raw-socket.js';
import { patient } from '../setup/patience.js';

const heartbeat = (id: number) => `42${id}["heartbeat",{}]`;
let cluster: TestCluster;

beforeAll(async () => {
  cluster = await TestCluster.start({ nodes: 1 });
});

afterAll(() => cluster.stop());

const limitsOf = ({ app }: TestNode) => app!.get(StrangerLimits);

/** Sends one text in so many pieces, most of them empty; `isWhole`: the last one ends it. */
function sendInPieces({ socket }: RawSocket, text: string, pieces: number, isWhole = true): void {
  for (let i = 0; i < pieces; i++) {
    const part = i === 0 ? text : '';
    if (socket.readyState === socket.OPEN) socket.send(part, { fin: isWhole && i === pieces - 1 });
  }
}

describe.each([true, false])('pieces of one message (DIRECT_READS=%s)', (directReads) => {
  let node: TestNode;

  beforeAll(async () => {
    node = await cluster.addNode({ directReads });
  });

  it.each([2, 19, 1_000])('takes %i', async (pieces) => {
    const raw = await RawSocket.connect(node.url, `pieces-${pieces}-${directReads}`);
    sendInPieces(raw, heartbeat(7), pieces);
    expect((await raw.answer(7)).ok).toBe(true);
    raw.close();
  });

  it.each(['before sign-in', 'after it'])('closes the connection that sends more, and no other: %s', async (when) => {
    const other = await RawSocket.connect(node.url, `other-${directReads}`);
    const raw =
      when === 'after it' ? await RawSocket.connect(node.url, `many-${directReads}`) : await RawSocket.open(node.url);
    sendInPieces(raw, heartbeat(7), 1_001, false);
    await raw.closes();
    other.send(heartbeat(8));
    expect((await other.answer(8)).ok).toBe(true);
    other.close();
  });
});

describe('links that have not signed in', () => {
  it('are refused above their number for an address, and do not count once they have signed in', async () => {
    const node = await cluster.addNode({ maxStrangerLinksPerAddress: 3 });
    const open = () => RawSocket.open(node.url);
    const users = [];
    for (let i = 0; i < 5; i++) users.push(await RawSocket.connect(node.url, `user-${i}`));
    const strangers = [await open(), await open(), await open()];
    expect(strangers.map(({ isClosed }) => isClosed)).toEqual([false, false, false]);
    expect(limitsOf(node).held().links).toBe(3);
    await (await open()).closes();
    const poll = fetch(`${node.url}/socket.io/?EIO=4&transport=polling`);
    expect(
      await poll.then(
        ({ status }) => status,
        () => 'cut',
      ),
    ).not.toBe(200);
    users[0]!.send(heartbeat(1));
    expect((await users[0]!.answer(1)).ok).toBe(true);
    strangers[0]!.close();
    await expect.poll(() => limitsOf(node).held().links).toBe(2);
    const late = await RawSocket.connect(node.url, 'late');
    for (const raw of [...users, ...strangers, late]) raw.close();
    await expect.poll(() => limitsOf(node).held()).toEqual({ links: 0, bytes: 0 });
  });

  it('count from their first byte: silent ones and halves of headers take the room of their address', async () => {
    const node = await cluster.addNode({ maxStrangerLinksPerAddress: 3 });
    const { port } = new URL(node.url);
    const links: Socket[] = [];
    for (const text of ['', 'GET /health/live HTTP/1.1\r\nX', 'GET /socket.io/?EIO=4']) {
      const link = connectTcp(Number(port), '127.0.0.1').on('error', () => undefined);
      await once(link, 'connect');
      if (text !== '') link.write(text);
      links.push(link.resume());
    }
    await expect.poll(() => limitsOf(node).held().links).toBe(3);
    const refused = connectTcp(Number(port), '127.0.0.1')
      .on('error', () => undefined)
      .resume();
    await expect.poll(() => refused.destroyed).toBe(true);
    // One whose request is complete gives its room back.
    links[1]!.write(': 1\r\nHost: localhost\r\n\r\n');
    await expect.poll(() => limitsOf(node).held().links).toBe(2);
    const user = await RawSocket.connect(node.url, 'among-the-silent');
    user.close();
    for (const link of links) link.destroy();
    await expect.poll(() => limitsOf(node).held().links).toBe(0);
    // A poller counts once, for its session.
    const polled = await (await fetch(`${node.url}/socket.io/?EIO=4&transport=polling`)).text();
    await expect.poll(() => limitsOf(node).held().links).toBe(1);
    const { sid } = JSON.parse(polled.slice(1)) as { sid: string };
    await fetch(`${node.url}/socket.io/?EIO=4&transport=polling&sid=${sid}`, { method: 'POST', body: '1' });
    await expect.poll(() => limitsOf(node).held()).toEqual({ links: 0, bytes: 0 });
  });

  it('are refused above their number in all', async () => {
    const node = await cluster.addNode({ maxStrangerLinks: 2 });
    const strangers = [await RawSocket.open(node.url), await RawSocket.open(node.url)];
    await (await RawSocket.open(node.url)).closes();
    for (const raw of strangers) raw.close();
  });

  it('are cut when what they have not finished is above the limit of their address', async () => {
    const node = await cluster.addNode();
    const limits = Object.assign(limitsOf(node), { maxBytesOfAddress: 400_000 });
    const user = await RawSocket.connect(node.url, 'bystander');
    const strangers: RawSocket[] = [];
    for (let i = 0; i < 12; i++) {
      const raw = await RawSocket.open(node.url);
      strangers.push(raw);
      sendInPieces(raw, 'x'.repeat(60_000), 2, false);
    }
    await expect.poll(() => strangers.filter(({ isClosed }) => isClosed).length).toBeGreaterThanOrEqual(8);
    await expect.poll(() => limits.held().bytes).toBeLessThanOrEqual(400_000);
    expect(strangers.some(({ isClosed }) => !isClosed)).toBe(true);
    user.send(heartbeat(2));
    expect((await user.answer(2)).ok).toBe(true);
    for (const raw of [user, ...strangers]) raw.close();
    await expect.poll(() => limits.held()).toEqual({ links: 0, bytes: 0 });
  });

  it('are cut for attachments that never end, which their parser keeps', async () => {
    const node = await cluster.addNode();
    Object.assign(limitsOf(node), { maxBytesOfAddress: 300_000 });
    const raw = await RawSocket.open(node.url);
    raw.send('459-["x",{"_placeholder":true,"num":0}]');
    for (let i = 0; i < 8 && !raw.isClosed; i++) raw.send(Buffer.alloc(60_000));
    await raw.closes();
  });
});

describe('the body of a request', () => {
  const hold = async (node: TestNode, head: string, piece: Buffer, pieces: number): Promise<Socket> => {
    const { port } = new URL(node.url);
    const socket = connectTcp(Number(port), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.resume();
    await once(socket, 'connect');
    socket.write(`${head}\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n`);
    for (let i = 0; i < pieces && !socket.destroyed; i++) socket.write(piece);
    return socket;
  };
  const restHead = (token: string) =>
    `POST /v1/conversations HTTP/1.1\r\nContent-Type: application/json\r\nAuthorization: Bearer ${token}`;
  const closes = (socket: Socket) => expect.poll(() => socket.destroyed, { timeout: patient(10_000) }).toBe(true);
  const piece = Buffer.from('1\r\n \r\n');

  it.each([
    ['REST', (_sid: string, token: string) => restHead(token)],
    ['polling', (sid: string) => `POST /socket.io/?EIO=4&transport=polling&sid=${sid} HTTP/1.1`],
  ])('in thousands of pieces cuts its link: %s', async (_name, headOf) => {
    const token = await tokenFor('in-pieces');
    const head = (id: string) => headOf(id, token);
    const node = await cluster.addNode();
    const polled = await (await fetch(`${node.url}/socket.io/?EIO=4&transport=polling`)).text();
    const { sid } = JSON.parse(polled.slice(1)) as { sid: string };
    const few = await hold(node, head(sid), piece, 100);
    await expect.poll(() => limitsOf(node).held().bytes).toBe(100 * 257);
    few.destroy();
    await expect.poll(() => limitsOf(node).held().bytes).toBe(0);
    const again = await (await fetch(`${node.url}/socket.io/?EIO=4&transport=polling`)).text();
    await closes(await hold(node, head((JSON.parse(again.slice(1)) as { sid: string }).sid), piece, 3_000));
    await expect.poll(() => limitsOf(node).held().bytes).toBe(0);
  });

  it('counts for its address: above the limit it is cut, and whoever is signed in is served', async () => {
    const node = await cluster.addNode();
    Object.assign(limitsOf(node), { maxBytesOfAddress: 100_000 });
    const body = Buffer.concat([Buffer.from('c350\r\n'), Buffer.alloc(50_000, 32), Buffer.from('\r\n')]);
    const token = await tokenFor('served');
    const head = restHead(token);
    const links: Socket[] = [];
    for (let i = 0; i < 4; i++) links.push(await hold(node, head, body, 1));
    await expect.poll(() => links.filter(({ destroyed }) => destroyed).length).toBeGreaterThanOrEqual(2);
    for (const link of links) link.destroy();
    await expect
      .poll(async () => (await fetch(`${node.url}/v1/me`, { headers: { authorization: `Bearer ${token}` } })).status)
      .toBe(200);
  });
});
