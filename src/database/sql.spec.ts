import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import pg from 'pg';
import { afterEach, expect, it } from 'vitest';
import { Sql } from './sql.js';

function message(type: string, body: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4);
  return Buffer.concat([Buffer.from(type), length, body]);
}

const signedIn = message('R', Buffer.alloc(4));
const ready = message('Z', Buffer.from('I'));
const terminated = message('E', Buffer.from('SFATAL\0C57P01\0Mterminating connection\0\0'));

let server: Server | undefined;
let pool: pg.Pool | undefined;

afterEach(async () => {
  await pool?.end();
  server?.close();
});

it('outlives a connection that is terminated in the packet that hands it over', async () => {
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(Buffer.concat([signedIn, ready, terminated])));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  pool = new pg.Pool({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, user: 'u', database: 'd' });
  const work = new Sql(pool).transaction(async (tx) => tx.rows('SELECT 1'));
  await expect(work).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});
