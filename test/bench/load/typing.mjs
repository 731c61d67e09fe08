/**
 * Some members of a group start and stop to type, in turns; every other member who joined hears it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isOk } from './client.mjs';
import { connectAll, until } from './crowd.mjs';
import { gate } from './gates.mjs';
import { Latencies } from './latencies.mjs';

const settleMs = 500;

/** @param job `{ users, typists, seconds }`: the first `typists` users type */
export async function typing(job) {
  let deliveries = 0;
  let acked = 0;
  let refused = 0;
  const latencies = new Latencies();
  const clients = await connectAll(job.users, (_user, event) => {
    if (event === 'user-typing') deliveries += 1;
  });
  await gate('start');
  const startedMs = performance.now();
  const endsMs = startedMs + job.seconds * 1_000;
  let onWay = 0;
  const turn = (user, isTyping) => {
    // The last word is that nobody types.
    if (performance.now() >= endsMs && isTyping) return;
    const askedMs = performance.now();
    const { conversationId } = job.users[user];
    onWay += 1;
    clients[user].emit(isTyping ? 'typing-start' : 'typing-stop', { conversationId }, (ack) => {
      latencies.add(performance.now() - askedMs);
      onWay -= 1;
      if (isOk(ack)) acked += 1;
      else refused += 1;
      turn(user, !isTyping);
    });
  };
  for (let user = 0; user < job.typists; user++) turn(user, true);
  await sleep(job.seconds * 1_000);
  const perSecond = (acked * 1_000) / (performance.now() - startedMs);
  const expected = () => acked * (job.users.length - 1);
  await until(() => onWay === 0 && deliveries >= expected(), 3_000);
  await sleep(settleMs);
  await gate('end');
  for (const client of clients) client.close();
  const missing = expected() - deliveries;
  const wrong = { lost: Math.max(0, missing), extra: Math.max(0, -missing), refused, unanswered: onWay };
  return { perSecond, acked, deliveries, ...wrong, ...latencies.summary() };
}
