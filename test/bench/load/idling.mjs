/** Connections that do nothing but answer pings. */
import { setTimeout as sleep } from 'node:timers/promises';
import { connectAll } from './crowd.mjs';
import { gate } from './gates.mjs';

const afterWarmUpMs = 4_500;

/**
 * @param job `{ users, warmUp, seconds }`: the first `warmUp` users connect and leave before the
 * measurement
 */
export async function idling(job) {
  const ignore = () => undefined;
  for (const client of await connectAll(job.users.slice(0, job.warmUp), ignore)) client.close();
  if (job.warmUp > 0) await sleep(afterWarmUpMs);
  await gate('start');
  const startedMs = performance.now();
  let events = 0;
  const clients = await connectAll(job.users, () => (events += 1));
  const connectedMs = performance.now() - startedMs;
  await sleep(2_000);
  await gate('connected');
  await sleep(job.seconds * 1_000);
  await gate('end');
  for (const client of clients) client.close();
  return { connections: clients.length, perSecond: (clients.length * 1_000) / connectedMs, events };
}
