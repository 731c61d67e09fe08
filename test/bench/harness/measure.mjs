import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { cpuMs, cpuMsOfTree, residentBytes } from './processor-time.mjs';
import { commonEnv, track } from './processes.mjs';

const generator = fileURLToPath(new URL('../load/main.mjs', import.meta.url));

/** Clocks of a target's processes and of the services, now. */
function clocksOf(target, services) {
  const sum = (read) => target.pids.reduce((total, pid) => total + read(pid), 0);
  return {
    server: sum(cpuMs),
    postgres: cpuMsOfTree(services.postgresPid),
    redis: cpuMs(services.redisPid),
    residentBytes: sum(residentBytes),
  };
}

/**
 * Runs one job in a load generator of its own against a target.
 *
 * @returns what the generator says, and `clocks` by gate: 'start', 'end' and what else the job
 *   passes
 */
export async function runJob(target, services, job) {
  const load = fork(generator, { env: { ...commonEnv, PATH: '' } });
  track(load);
  const clocks = {};
  const result = await new Promise((resolve, reject) => {
    load.once('exit', (code) => reject(new Error(`the load generator against ${target.name} ended with ${code}`)));
    load.on('message', (message) => {
      if (message.result) return resolve(message.result);
      clocks[message.gate] = clocksOf(target, services);
      load.send('go on');
    });
    load.send({ orderKey: target.orderKey, ...job });
  });
  return { ...result, clocks };
}

/**
 * Sends, or what else the job's kind does and counts as `acked`, and what it costs.
 *
 * @returns the generator's result, processor time per 1,000 acked in ms, and per delivery in µs, of
 *   the server alone and together with Postgres
 */
export async function measureCosts(target, services, job) {
  const result = await runJob(target, services, job);
  if (job.kind === 'sending') target.acked = (target.acked ?? 0) + result.acked;
  const { start, end } = result.clocks;
  const per1000 = (name) => ((end[name] - start[name]) * 1_000) / result.acked;
  const perDeliveryUs = (name) => ((end[name] - start[name]) * 1_000) / result.deliveries;
  return {
    ...result,
    serverPer1000: per1000('server'),
    postgresPer1000: per1000('postgres'),
    redisPer1000: per1000('redis'),
    totalPer1000: per1000('server') + per1000('postgres') + per1000('redis'),
    perDeliveryUs: perDeliveryUs('server'),
    perDeliveryUsWithPostgres: perDeliveryUs('server') + perDeliveryUs('postgres'),
  };
}
