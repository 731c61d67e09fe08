/**
 * Sends of a crowd: `closed`, each sender with `inFlight` on the way; `open`, at a rate whatever is
 * answered.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { connectAll, until } from './crowd.mjs';
import { gate } from './gates.mjs';
import { Latencies } from './latencies.mjs';
import { Ledger } from './ledger.mjs';
import { Marks } from './marks.mjs';

const content = { text: 'The quick brown fox jumps over the lazy dog.' };
// Longer than it takes until a device has proven what it got, so that this is paid for inside the
// measurement.
const settleMs = 1_200;

/** @param job `{ users, senders?, orderKey, seconds, inFlight?, rate?, hasReceipts? }` */
export async function sending(job) {
  const ledger = new Ledger(job.users.length, job.orderKey);
  const latencies = new Latencies();
  const lags = new Latencies();
  const senders = job.senders ?? job.users.map((_, i) => i);
  let marks = null;
  const clients = await connectAll(job.users, (user, event, packet) => {
    if (event === 'new-message') {
      ledger.hear(user, packet);
      marks?.mark(user, packet);
    } else marks?.hear(user, event, packet);
  });
  if (job.hasReceipts) {
    marks = new Marks(job.users, clients, ledger);
    await marks.join();
  }
  let onWay = 0;

  const send = (user, onAck) => {
    const { conversationId, peers } = job.users[user];
    const startedMs = performance.now();
    onWay += 1;
    clients[user].emit('send-message', { conversationId, type: 'text', content }, (ack) => {
      latencies.add(performance.now() - startedMs);
      onWay -= 1;
      ledger.ack(ack, peers);
      onAck();
    });
  };
  await gate('start');
  const startedMs = performance.now();
  const cpu = process.cpuUsage();
  const endsMs = startedMs + job.seconds * 1_000;
  if (job.rate) await atRate(job.rate, startedMs, endsMs, senders, send, lags);
  else await inTurn(job.inFlight, endsMs, senders, send);
  const seconds = (performance.now() - startedMs) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  const ackedInTime = ledger.acked;
  await until(() => onWay === 0 && ledger.hasAll && (marks?.hasAll ?? true));
  await sleep(settleMs);
  await gate('end');
  for (const client of clients) client.close();
  return {
    perSecond: ackedInTime / seconds,
    acked: ledger.acked,
    refused: ledger.refused + (marks?.refused ?? 0),
    firstRefusal: ledger.firstRefusal,
    unanswered: onWay,
    deliveries: ledger.deliveries,
    lost: ledger.lost + (marks?.missing ?? 0),
    extra: ledger.extra,
    faults: ledger.faults,
    ...latencies.summary(),
    lagMs: lags.summary().p99,
    generatorShare: (user + system) / 1_000_000 / seconds,
  };
}

/** Each sender sends again as soon as it is answered. */
async function inTurn(inFlight, endsMs, senders, send) {
  const again = (user) => {
    if (performance.now() < endsMs) send(user, () => again(user));
  };
  for (const user of senders) for (let i = 0; i < inFlight; i++) again(user);
  await sleep(endsMs - performance.now());
}

/** One sender after the other, at the given rate of all. */
async function atRate(rate, startedMs, endsMs, senders, send, lags) {
  let sent = 0;
  for (let now = performance.now(); now < endsMs; now = performance.now()) {
    for (let due; (due = startedMs + (sent * 1_000) / rate) <= now; sent++) {
      lags.add(performance.now() - due);
      send(senders[sent % senders.length], () => undefined);
    }
    await sleep(1);
  }
}
