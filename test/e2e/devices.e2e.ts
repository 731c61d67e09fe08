import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ErrorBody, Message } from '../../src/common/index.js';
import { refusedConnection, rest, tokenFor, type TestClient } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';
import { directConversation } from '../support/conversations.js';
import { eventually } from '../setup/patience.js';

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await TestCluster.start({ nodes: 2 });
});
afterAll(() => cluster.stop());

let users = 0;

async function scene() {
  users += 1;
  const [alice, bob] = [`alice-${users}`, `bob-${users}`];
  const sender = await cluster.connect(alice, 0);
  const conversationId = await directConversation(cluster.url(), alice, bob);
  const send = async (text: string) => {
    const { message } = await sender.ask('send-message', { conversationId, content: { text } });
    return message as Message;
  };
  const untilDelivered = (seq: number) =>
    sender.waitFor('message-delivered', (one: { deliveredSeq: number }) => one.deliveredSeq >= seq, 3_000);
  return { alice, bob, sender, conversationId, send, untilDelivered };
}

async function connectedDevices(userId: string): Promise<string[]> {
  const { body } = await rest(cluster.url(0), userId, 'GET', '/v1/me/devices');
  return body.items.filter((one: any) => one.connected).map((one: any) => one.deviceId);
}

const secondsFromNow = (seconds: number) => Math.floor(Date.now() / 1_000) + seconds;
const seqs = (client: TestClient) => client.of<Message>('new-message').map(({ seq }) => seq);

describe('devices', () => {
  it('keeps the progress of each device apart', async () => {
    const { bob, send, untilDelivered } = await scene();
    const phone = await cluster.connect(bob, 0, { deviceId: 'phone' });
    const tablet = await cluster.connect(bob, 1, { deviceId: 'tablet' });
    await send('both');
    await untilDelivered(1);
    await tablet.waitFor('new-message');
    await pause(800);
    tablet.close();
    await send('phone only');
    await untilDelivered(2);
    expect(seqs(phone)).toEqual([1, 2]);
    const back = await cluster.connect(bob, 0, { deviceId: 'tablet' });
    await back.waitForCount('new-message', 1);
    expect(seqs(back)).toEqual([2]);
  });

  it('starts a new device where the others together have come', async () => {
    const { bob, send, untilDelivered } = await scene();
    const phone = await cluster.connect(bob, 0, { deviceId: 'phone' });
    await send('phone has it');
    await untilDelivered(1);
    phone.close();
    await eventually(async () => expect(await connectedDevices(bob)).toEqual([]));
    await send('nobody has it');
    const tablet = await cluster.connect(bob, 1, { deviceId: 'tablet' });
    await tablet.waitForCount('new-message', 1);
    await pause(200);
    expect(seqs(tablet)).toEqual([2]);
  });

  it('gives the first device of a user everything since he joined', async () => {
    const { bob, send } = await scene();
    for (const text of ['a', 'b', 'c']) await send(text);
    const phone = await cluster.connect(bob, 1, { deviceId: 'phone' });
    await phone.waitForCount('new-message', 3);
    expect(seqs(phone)).toEqual([1, 2, 3]);
  });

  it('gives every socket of a device the same, and lists what is connected on any node', async () => {
    const { bob, send } = await scene();
    const tabs = [
      await cluster.connect(bob, 0, { deviceId: 'browser' }),
      await cluster.connect(bob, 1, { deviceId: 'browser' }),
    ];
    const gone = await cluster.connect(bob, 1, { deviceId: 'old' });
    gone.close();
    await send('hello');
    for (const tab of tabs) await tab.waitForCount('new-message', 1);
    tabs[0]!.close();
    await eventually(async () => expect(await connectedDevices(bob)).toEqual(['browser']));
    const { body } = await rest(cluster.url(0), bob, 'GET', '/v1/me/devices');
    expect(body.items.map(({ deviceId, connected }: any) => [deviceId, connected])).toEqual([
      ['browser', true],
      ['old', false],
    ]);
    const first = await rest(cluster.url(0), bob, 'GET', '/v1/me/devices?limit=1');
    const second = await rest(cluster.url(1), bob, 'GET', `/v1/me/devices?limit=1&cursor=${first.body.nextCursor}`);
    expect(second.body.items[0].deviceId).toBe('old');
    expect(second.body.nextCursor).toBeNull();
    expect((await rest(cluster.url(0), bob, 'GET', '/v1/me/devices?cursor=')).status).toBe(200);
  });

  it('are listed, and can be forgotten, from their session on, before Postgres has noted them', async () => {
    const { bob } = await scene();
    const database = new pg.Client({ connectionString: cluster.database.url });
    await database.connect();
    await database.query('BEGIN');
    // Whoever notes the device waits for what becomes of this row.
    await database.query("INSERT INTO devices (user_id, device_id) VALUES ($1, 'phone')", [bob]);
    const phone = await cluster.connect(bob, 1, { deviceId: 'phone' });
    const listed = async () => (await rest(cluster.url(0), bob, 'GET', '/v1/me/devices')).body.items;
    expect(await listed()).toMatchObject([{ deviceId: 'phone', connected: true }]);
    const forgetting = rest(cluster.url(0), bob, 'DELETE', '/v1/me/devices/phone');
    await pause(100);
    await database.query('ROLLBACK');
    await database.end();
    expect((await forgetting).status).toBe(204);
    expect((await phone.waitFor<ErrorBody>('error')).code).toBe('TOKEN_REVOKED');
    expect(await listed()).toEqual([]);
  });

  it('disconnects and forgets a device on every node; another try is NOT_FOUND', async () => {
    const { bob, send, untilDelivered } = await scene();
    const phone = await cluster.connect(bob, 1, { deviceId: 'phone' });
    await send('hello');
    await untilDelivered(1);
    const { status } = await rest(cluster.url(0), bob, 'DELETE', '/v1/me/devices/phone');
    expect(status).toBe(204);
    expect((await phone.waitFor<ErrorBody>('error')).code).toBe('TOKEN_REVOKED');
    await eventually(() => expect(phone.socket.connected).toBe(false));
    expect((await rest(cluster.url(0), bob, 'GET', '/v1/me/devices')).body.items).toEqual([]);
    const again = await rest(cluster.url(1), bob, 'DELETE', '/v1/me/devices/phone');
    expect(again).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
    // Connecting again with a newer token, it is a new device: it starts where the user has come.
    const back = await cluster.connect(bob, 0, { deviceId: 'phone', claims: { iat: secondsFromNow(2) } });
    await send('later');
    await back.waitFor<Message>('new-message', ({ seq }) => seq === 2);
    expect(seqs(back)).toEqual([2]);
  });

  it('a removed device opens no session with tokens from before; others and newer tokens do', async () => {
    const { bob } = await scene();
    const token = await tokenFor(bob);
    const timeless = await tokenFor(bob, { claims: { iat: undefined } });
    const newer = await tokenFor(bob, { claims: { iat: secondsFromNow(2) } });
    await cluster.connect(bob, 0, { token });
    const laptop = await cluster.connect(bob, 1, { deviceId: 'laptop', token });
    const { status } = await rest(cluster.url(1), bob, 'DELETE', '/v1/me/devices/default', undefined, { token });
    expect(status).toBe(204);
    for (const node of [0, 1]) {
      for (const [deviceId, old] of [
        ['default', token],
        [undefined, token],
        ['default', timeless],
      ] as const) {
        expect((await refusedConnection(cluster.url(node), { token: old, deviceId })).code).toBe('TOKEN_REVOKED');
      }
      const back = await cluster.connect(bob, node, { token: newer });
      expect((await back.refused('refresh-token', { token })).code).toBe('TOKEN_REVOKED');
      await laptop.ask('refresh-token', { token });
    }
  });
});
