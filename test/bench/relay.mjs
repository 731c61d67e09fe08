/**
 * The yardstick: a bare Socket.IO relay that verifies nothing, stores nothing and orders nothing.
 *
 * `--corked`: the same with one write per socket and turn of the event loop.
 * `--redis URL`: the same with the Redis adapter.
 */
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import { Server } from 'socket.io';
import { corkWrites } from './corked-writes.mjs';

const { values } = parseArgs({
  options: { port: { type: 'string' }, corked: { type: 'boolean' }, redis: { type: 'string' } },
});
const http = createServer();
const io = new Server(http, { perMessageDeflate: false, serveClient: false });

if (values.redis) {
  const { Redis } = await import('ioredis');
  const { createAdapter } = await import('@socket.io/redis-adapter');
  io.adapter(createAdapter(new Redis(values.redis), new Redis(values.redis)));
}

if (values.corked) corkWrites(io);

let lastId = 0;
io.on('connection', (socket) => {
  const { userId, rooms = [] } = socket.handshake.auth;
  socket.join(`user:${userId}`);
  for (const room of rooms) socket.join(room);
  socket.emit('session-ready', {});
  socket.on('send-message', (payload, ack) => {
    const message = { id: ++lastId, senderId: userId, createdAt: new Date().toISOString(), ...payload };
    socket.to(payload.conversationId).emit('new-message', message);
    ack({ ok: true, data: { message, duplicate: false } });
  });
  for (const [event, isTyping] of Object.entries({ 'typing-start': true, 'typing-stop': false })) {
    socket.on(event, ({ conversationId }, ack) => {
      socket.to(conversationId).emit('user-typing', { conversationId, userId, isTyping });
      ack?.({ ok: true, data: {} });
    });
  }
});
http.listen(Number(values.port), '127.0.0.1', () => process.stdout.write('ready\n'));
process.on('SIGTERM', () => process.exit(0));
