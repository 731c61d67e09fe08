/**
 * The least that a durable send costs on Socket.IO: what comes while a commit is on its way is
 * stored by the next, in one prepared statement into one table, and each socket is written to once
 * a turn. It verifies, checks and numbers nothing.
 */
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { Server } from 'socket.io';
import { corkWrites } from './corked-writes.mjs';

const { values } = parseArgs({ options: { port: { type: 'string' }, database: { type: 'string' } } });
const database = new pg.Client({ connectionString: values.database });
await database.connect();
await database.query(
  'CREATE TABLE message (id bigint PRIMARY KEY, conversation_id text, sender_id text, content text, created_at timestamptz)',
);
const http = createServer();
const io = new Server(http, { perMessageDeflate: false, serveClient: false });
corkWrites(io);

let lastId = 0;
let waiting = [];
let isBusy = false;

function store(messages) {
  return database.query({
    name: 'store',
    text: 'INSERT INTO message SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::timestamptz[])',
    values: [
      messages.map(({ id }) => id),
      messages.map(({ conversationId }) => conversationId),
      messages.map(({ senderId }) => senderId),
      messages.map(({ content }) => JSON.stringify(content)),
      messages.map(({ createdAt }) => createdAt),
    ],
  });
}

async function commit() {
  while (waiting.length > 0) {
    const batch = waiting;
    waiting = [];
    await store(batch.map(({ message }) => message));
    for (const { socket, message, ack } of batch) {
      socket.to(message.conversationId).emit('new-message', message);
      ack({ ok: true, data: { message, duplicate: false } });
    }
  }
  isBusy = false;
}

io.on('connection', (socket) => {
  const { userId, rooms = [] } = socket.handshake.auth;
  for (const room of rooms) socket.join(room);
  socket.emit('session-ready', {});
  socket.on('send-message', (payload, ack) => {
    const message = { id: ++lastId, senderId: userId, createdAt: new Date().toISOString(), ...payload };
    waiting.push({ socket, message, ack });
    if (isBusy) return;
    isBusy = true;
    // Messages that arrive together are stored together.
    setImmediate(commit);
  });
});
http.listen(Number(values.port), '127.0.0.1', () => process.stdout.write('ready\n'));
process.on('SIGTERM', () => process.exit(0));
