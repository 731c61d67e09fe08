/** Users who ask the same again and again. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, isOk } from './client.mjs';
import { connectAll, until } from './crowd.mjs';
import { gate } from './gates.mjs';

const settleMs = 300;
const afterConnectingMs = 1_500;
// Longer than it takes to complete an absence.
const afterLeavingMs = 6_000;

/**
 * @param job `{ users, seconds }`: each user has an `ask`, `{ event, payload }`, with `isSync` its
 * `sync` since it connected
 */
export async function asking(job) {
  const clients = await connectAll(job.users, () => undefined);
  const sessions = await Promise.all(clients.map((client) => client.ready));
  // The work that connecting causes is not measured.
  await sleep(afterConnectingMs);
  let onWay = 0;
  const result = await inTurn(job.seconds, job.users.length, (user, done) => {
    const { event, payload, isSync } = job.users[user].ask;
    onWay += 1;
    clients[user].emit(event, isSync ? { since: sessions[user].syncToken } : payload, (ack) => {
      onWay -= 1;
      done(ack);
    });
  });
  await until(() => onWay === 0);
  await sleep(settleMs);
  await gate('end');
  for (const client of clients) client.close();
  return result();
}

/** Users who connect and leave again and again. @param job `{ users, seconds }` */
export async function connecting(job) {
  const result = await inTurn(job.seconds, job.users.length, (user, done) => {
    const { url, auth } = job.users[user];
    const client = new Client(url, auth, () => undefined);
    const leave = (ack) => {
      client.close();
      done(ack);
    };
    client.ready.then(
      () => leave('{"ok":true}'),
      (error) => leave(String(error)),
    );
  });
  await sleep(afterLeavingMs);
  await gate('end');
  return result();
}

async function inTurn(seconds, count, act) {
  let acked = 0;
  let refused = 0;
  let firstRefusal = null;
  await gate('start');
  const startedMs = performance.now();
  const endsMs = startedMs + seconds * 1_000;
  const again = (user) => {
    if (performance.now() >= endsMs) return;
    act(user, (ack) => {
      if (isOk(ack)) acked += 1;
      else {
        refused += 1;
        firstRefusal ??= ack.slice(0, 300);
      }
      again(user);
    });
  };
  for (let user = 0; user < count; user++) again(user);
  await sleep(seconds * 1_000);
  const perSecond = (acked * 1_000) / (performance.now() - startedMs);
  return () => ({ perSecond, acked, refused, firstRefusal });
}
