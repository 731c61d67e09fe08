import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { OnGatewayConnection, OnGatewayDisconnect } from '@nestjs/websockets';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Socket } from 'socket.io';
import { io } from 'socket.io-client';
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

@ChatGateway()
class First extends Watching {}

@ChatGateway()
class Second extends Watching {}

@ChatGateway({ namespace: 'side' })
class AsideFirst extends Watching {}

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

it('tells the gateways of another namespace, too', async () => {
  const socket = io(`${url}/side`, { auth: { token: await tokenFor('bob') }, transports: ['websocket'] });
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('connect_error', reject));
  const id = socket.id!;
  socket.close();
  await expect.poll(() => toldOf(id)).toEqual(lifeIn(['AsideFirst', 'AsideSecond'], id));
});
