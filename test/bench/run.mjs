/**
 * `npm run bench`: Parley as it is shipped, beside relays that store nothing and a tutorial's
 * server, interleaved.
 *
 * `--help` tells the options.
 *
 * Ends with 1 when Parley lost, doubled or reordered something or stored other than it acked; a
 * goal missed is only said.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { goalsText, workloadText, writePage } from './harness/report.mjs';
import { dearCalls } from './harness/dear-calls.mjs';
import { commonEnv, killAll } from './harness/processes.mjs';
import { readOptions } from './harness/options.mjs';
import { startServices } from './harness/services.mjs';
import { Stage } from './harness/stage.mjs';
import { workloads } from './workloads/index.mjs';

const args = process.argv.slice(2);
const options = readOptions(
  args,
  workloads.map(({ name }) => name),
);
const log = (line) => process.stdout.write(`${line}\n`);
const dear = options.callUs === null ? null : dearCalls(options.callUs);
Object.assign(commonEnv, dear?.env);
const startedMs = performance.now();
const services = await startServices();
const stage = new Stage(services, options);

async function stop() {
  killAll();
  await services.stop();
  if (dear) rmSync(dear.directory, { recursive: true, force: true });
}

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void stop().finally(() => process.exit(1)));

try {
  const outcomes = [];
  for (const workload of workloads.filter(({ name }) => options.workloads.includes(name))) {
    log(`\n${workload.name}: ${workload.title}`);
    const outcome = await workload.run({ services, options, stage, log });
    outcomes.push({ workload, outcome });
    log(`\n${workloadText({ workload, outcome })}`);
  }
  const goals = outcomes.flatMap(({ outcome }) => outcome.goals);
  const minutes = (performance.now() - startedMs) / 60_000;
  const { fsync } = services;
  log(`\nGoals (${minutes.toFixed(1)} minutes, fsync ${fsync}):\n${goalsText(goals)}`);
  for (const fault of stage.faults) log(`FAULT: ${fault}`);
  const command = ['npm run bench', ...(args.length > 0 ? ['--', ...args] : [])].join(' ');
  const summary = { command, minutes, fsync, goals, faults: stage.faults };
  if (options.jsonFile) writeFileSync(options.jsonFile, JSON.stringify({ ...summary, outcomes }, null, 2));
  if (options.hasReport) await writePage({ ...summary, outcomes });
  process.exitCode = stage.faults.length === 0 ? 0 : 1;
} finally {
  await stop();
}
