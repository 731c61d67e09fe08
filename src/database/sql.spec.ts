import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import pg from 'pg';
import { Logger } from '@nestjs/common';
import { afterEach, expect, it, vi } from 'vitest';
import { Sql } from './sql.js';

function message(type: string, body: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4);
  return Buffer.concat([Buffer.from(type), length, body]);
}

const signedIn = message('R', Buffer.alloc(4));
const ready = message('Z', Buffer.from('I'));
const full = message('E', Buffer.from('SERROR\0C53100\0Mno space left on device\0\0'));
const terminated = message('E', Buffer.from('SFATAL\0C57P01\0Mterminating connection\0\0'));

let server: Server | undefined;
let pool: pg.Pool | undefined;

afterEach(async () => {
  await pool?.end();
  server?.close();
});

async function connect(): Promise<Sql> {
  await once(server!, 'listening');
  pool = new pg.Pool({ host: '127.0.0.1', port: (server!.address() as AddressInfo).port, user: 'u', database: 'd' });
  return new Sql(pool);
}

it('outlives a connection that is terminated in the packet that hands it over', async () => {
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(Buffer.concat([signedIn, ready, terminated])));
  }).listen(0, '127.0.0.1');
  const sql = await connect();
  const work = sql.transaction(async (tx) => tx.rows('SELECT 1'));
  await expect(work).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});

it('says in the log why Postgres cannot be used, and not for each statement', async () => {
  server = createServer((socket) => {
    socket.once('data', () => {
      socket.write(Buffer.concat([signedIn, ready]));
      socket.on('data', ([type]) => type === 'Q'.charCodeAt(0) && socket.write(Buffer.concat([full, ready])));
    });
  }).listen(0, '127.0.0.1');
  const warn = vi.spyOn(Logger.prototype, 'warn').mockReturnValue();
  const sql = await connect();
  for (let i = 0; i < 3; i++) await expect(sql.rows('SELECT 1')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect(warn.mock.calls).toEqual([['Postgres cannot be used: no space left on device (53100)']]);
  warn.mockRestore();
});
