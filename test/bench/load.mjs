/**
 * The load generator, a process of its own: pairs of users send to each other, each with `inFlight` sends on the way.
 *
 * Reads one JSON job from stdin, writes one JSON result to stdout. Checks inside the run: every acked message reached
 * its recipient once, and in the order of `seq` where the target gives one.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { WireClient } from './wire-client.mjs';

const job = JSON.parse(readFileSync(0, 'utf8'));

class Recipient {
  received = 0;
  faults = 0;
  #seen = new Set();
  #lastSeq = new Map();

  hear(message) {
    if (this.#seen.has(message.id)) this.faults += 1;
    this.#seen.add(message.id);
    this.received += 1;
    if (message.seq === undefined) return;
    if (message.seq <= (this.#lastSeq.get(message.conversationId) ?? 0)) this.faults += 1;
    this.#lastSeq.set(message.conversationId, message.seq);
  }
}

const recipients = job.users.map(() => new Recipient());
const clients = [];
for (let at = 0; at < job.users.length; at += 50) {
  const wave = job.users.slice(at, at + 50).map((user, i) => {
    const recipient = recipients[at + i];
    const hear = (event, payload) => {
      if (event === 'new-message') recipient.hear(payload);
      if (event === 'new-message' && job.receipts)
        clients[at + i].emit(
          'mark-read',
          { conversationId: payload.conversationId, seq: payload.seq },
          () => undefined,
        );
    };
    return new WireClient(user.url, user.auth, hear);
  });
  clients.push(...wave);
  await Promise.all(wave.map((client) => client.ready));
}

let acked = 0;
let refused = 0;
let isOver = false;
let nextKey = 0;
const latencies = [];
const expected = new Map();

function send(sender) {
  if (isOver) return;
  const { conversationId, peers } = job.users[sender];
  const startedMs = performance.now();
  const payload = { conversationId, type: 'text', content: { text: 'The quick brown fox jumps over the lazy dog.' } };
  if (job.clientMessageIds) payload.clientMessageId = `b${job.seed}-${sender}-${nextKey++}`;
  clients[sender].emit('send-message', payload, (ack) => {
    latencies.push(performance.now() - startedMs);
    if (ack.ok) {
      acked += 1;
      for (const peer of peers) expected.set(peer, (expected.get(peer) ?? 0) + 1);
    } else refused += 1;
    send(sender);
  });
}

process.stderr.write('started\n');
const startedMs = performance.now();
const senders = job.senders ?? job.users.map((_, i) => i);
for (const sender of senders) for (let i = 0; i < job.inFlight; i++) send(sender);
await sleep(job.seconds * 1_000);
isOver = true;
const seconds = (performance.now() - startedMs) / 1_000;
const ackedInTime = acked;
process.stderr.write('stopped\n');

const allArrived = () => [...expected].every(([peer, count]) => recipients[peer].received >= count);
for (let i = 0; i < 100 && !allArrived(); i++) await sleep(50);
await sleep(200);
const lost = [...expected].reduce((sum, [peer, count]) => sum + Math.max(0, count - recipients[peer].received), 0);
const faults = recipients.reduce((sum, recipient) => sum + recipient.faults, 0);
latencies.sort((a, b) => a - b);
const at = (share) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))];
process.stdout.write(
  JSON.stringify({
    perSecond: ackedInTime / seconds,
    acked,
    refused,
    lost,
    faults,
    deliveries: recipients.reduce((sum, recipient) => sum + recipient.received, 0),
    p50: at(0.5),
    p95: at(0.95),
    p99: at(0.99),
  }),
);
for (const client of clients) client.close();
process.exit(0);
