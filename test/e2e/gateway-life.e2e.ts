import { Module, UseInterceptors, type NestInterceptor } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import {
  ConnectedSocket,
  SubscribeMessage,
  type OnGatewayConnection,
  type OnGatewayDisconnect,
} from '@nestjs/websockets';
import type { Socket } from 'socket.io';
import { io, type Socket as ClientSocket } from 'socket.io-client';
import { Decoder } from 'socket.io-parser';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { ChatGateway, ParleyIoAdapter, ParleyModule } from '../../src/index.js';
import { createDatabase, type TestDatabase } from '../setup/services.js';
import { connect, testSecret, tokenFor } from '../support/client.js';

const told: string[] = [];

class Watching implements OnGatewayConnection, OnGatewayDisconnect {
  handleConnection(socket: Socket): void {
    told.push(`${this.constructor.name} comes ${socket.id}`);
  }

  handleDisconnect(socket: Socket): void {
    told.push(`${this.constructor.name} goes ${socket.id}`);
  }
}

const passOn: NestInterceptor = { intercept: (_, next) => next.handle() };

@ChatGateway()
class First extends Watching {
  @SubscribeMessage('who-am-i')
  whoAmI(@ConnectedSocket() { id }: Socket): { id: string } {
    return { id };
  }

  @SubscribeMessage('who-am-i-intercepted')
  @UseInterceptors(passOn)
  whoAmIIntercepted(@ConnectedSocket() { id }: Socket): { id: string } {
    return { id };
  }
}

@ChatGateway()
class Second extends Watching {}

@ChatGateway({ namespace: 'side' })
class AsideFirst extends Watching {
  @SubscribeMessage('who-am-i-aside')
  whoAmI(@ConnectedSocket() { id }: Socket): { id: string } {
    return { id };
  }
}

@ChatGateway({ namespace: 'side' })
class AsideSecond extends Watching {}

let database: TestDatabase;
let app: NestExpressApplication;
let url: string;

beforeAll(async () => {
  database = await createDatabase();
  @Module({
    imports: [ParleyModule.forRoot({ settings: { databaseUrl: database.url, jwtSecret: testSecret } })],
    providers: [First, Second, AsideFirst, AsideSecond],
  })
  class App {}
  app = await NestFactory.create<NestExpressApplication>(App, { logger: ['error'] });
  app.useWebSocketAdapter(new ParleyIoAdapter(app));
  await app.listen(0, '127.0.0.1');
  url = await app.getUrl();
});

afterAll(async () => {
  await app?.close();
  await database?.drop();
});

const toldOf = (id: string) => told.filter((line) => line.endsWith(id)).sort();
const lifeIn = (names: string[], id: string) => names.flatMap((name) => [`${name} comes ${id}`, `${name} goes ${id}`]);

it('tells each gateway of an application once that a socket has come, and once that it has gone', async () => {
  const client = await connect(url, 'alice');
  const id = client.socket.id!;
  client.close();
  await expect.poll(() => toldOf(id)).toEqual(lifeIn(['First', 'Second'], id));
});

async function openAside(userId: string): Promise<ClientSocket> {
  const socket = io(`${url}/side`, { auth: { token: await tokenFor(userId) }, transports: ['websocket'] });
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('connect_error', reject));
  return socket;
}

it('tells the gateways of another namespace, too', async () => {
  const socket = await openAside('bob');
  const id = socket.id!;
  socket.close();
  await expect.poll(() => toldOf(id)).toEqual(lifeIn(['AsideFirst', 'AsideSecond'], id));
});

it.each(['who-am-i', 'who-am-i-intercepted'])('hands %s of each socket to the gateway as its own', async (event) => {
  const clients = await Promise.all([connect(url, 'alice'), connect(url, 'bob'), connect(url, 'alice')]);
  const answers = await Promise.all(clients.map(({ socket }) => socket.emitWithAck(event, {}) as unknown));
  expect(answers).toEqual(clients.map(({ socket }) => ({ ok: true, data: { id: socket.id } })));
  for (const client of clients) client.close();
});

it('reads the events of its sockets in one go (ADR-0016)', async () => {
  const client = await connect(url, 'alice');
  const decoded = vi.spyOn(Decoder.prototype, 'add');
  await client.socket.emitWithAck('who-am-i', {});
  const events = decoded.mock.calls.flat().filter((packet) => String(packet).includes('who-am-i'));
  expect(events).toEqual([]);
  decoded.mockRestore();
  client.close();
});

it("knows a namespace's events in that namespace only", async () => {
  const aside = await openAside('carol');
  const client = await connect(url, 'carol');
  const unknown = { ok: false, error: expect.objectContaining({ code: 'UNKNOWN_EVENT' }) as unknown };
  expect(await aside.emitWithAck('who-am-i-aside', {})).toEqual({ ok: true, data: { id: aside.id } });
  expect(await client.socket.emitWithAck('who-am-i-aside', {})).toEqual(unknown);
  expect(await aside.emitWithAck('who-am-i', {})).toEqual(unknown);
  aside.close();
  client.close();
});
