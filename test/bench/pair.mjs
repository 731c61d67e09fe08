/**
 * `npm run bench:pair -- A B`: what a change costs or saves, as the ratio of two builds' processor
 * time, of the server and of its Postgres together.
 *
 * Both servers run under the same load at the same time, each with a Postgres of its own: on a
 * machine whose speed changes by the minute, what slows one slows the other, and neither pays for
 * the other's rows. Two processes of one build differ by some per cent all the same, therefore both
 * orders are measured, and the result is their geometric mean.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { giveUp, numberOf, readCommandLine } from '../../scripts/command-line.mjs';
import { measureCosts } from './harness/measure.mjs';
import { killAll } from './harness/processes.mjs';
import { median } from './harness/rounds.mjs';
import { startServices } from './harness/services.mjs';
import { group, pairs } from './targets/casts.mjs';
import { startParley } from './targets/parley.mjs';

const usage = `npm run bench:pair -- [options] A B
  A, B                 directories of two versions, each built (npm run build)
  --workload NAME      sends: 200 users one to one (default); group: of --size, four sending; typing: in a group
  --in-flight N        sends of a user on the way (default 1)
  --rate N             sends a second to each version, whatever is answered; instead of --in-flight
  --size N             members of the group (default 200; typing: 58)
  --rounds N           of each order (default 5)
  --seconds N          of each round (default 4)`;
const { values, positionals } = readCommandLine(usage, {
  allowPositionals: true,
  options: {
    workload: { type: 'string', default: 'sends' },
    'in-flight': { type: 'string', default: '1' },
    rate: { type: 'string' },
    size: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
  },
});

const jobs = {
  sends: async (target) => ({ ...sending, users: await pairs(target, 100) }),
  group: async (target) => ({ ...sending, users: await group(target, size), senders: [0, 1, 2, 3] }),
  typing: async (target) => ({ kind: 'typing', users: await group(target, size, { mustJoin: true }), typists: 8 }),
};

if (positionals.length !== 2) giveUp('Two directories are needed (--help tells the options)');
if (!jobs[values.workload]) giveUp(`--workload knows no ${values.workload}`);
if (values.rate && values.workload === 'typing') giveUp('--rate is of sends: it does not go with --workload typing');
const sending = {
  kind: 'sending',
  inFlight: numberOf(values, 'in-flight'),
  ...(values.rate ? { rate: numberOf(values, 'rate') } : {}),
};
const size = numberOf({ size: values.workload === 'typing' ? '58' : '200', ...values }, 'size');
const rounds = numberOf(values, 'rounds');
const seconds = numberOf(values, 'seconds');
const [a, b] = positionals.map((directory) => ({ main: join(resolve(directory), 'dist/main.js') }));
for (const { main } of [a, b]) if (!existsSync(main)) giveUp(`There is no ${main}`);

const [what, unitOf] =
  values.workload === 'sends'
    ? ['ms per 1,000 sends', (cost) => [cost.serverPer1000, cost.serverPer1000 + cost.postgresPer1000]]
    : ['us per delivery', (cost) => [cost.perDeliveryUs, cost.perDeliveryUsWithPostgres]];

/** @returns for each round the costs of the versions, in the order given */
async function measure(versions) {
  const services = [];
  try {
    for (let i = 0; i < versions.length; i++) services.push(await startServices());
    const targets = [];
    for (const [i, { main }] of versions.entries())
      targets.push(await startParley(services[i], `version-${i + 1}`, { main }));
    const work = await Promise.all(targets.map(jobs[values.workload]));
    const costs = [];
    // The round before the first warms up and does not count.
    for (let round = 0; round <= rounds; round++) {
      const results = await Promise.all(
        targets.map((target, i) => measureCosts(target, services[i], { ...work[i], seconds })),
      );
      if (round > 0) costs.push(results);
    }
    await Promise.all(targets.map((target) => target.stop()));
    return costs;
  } finally {
    killAll();
    await Promise.all(services.map((one) => one.stop()));
  }
}

const medians = { server: [], all: [] };
for (const isExchanged of [false, true]) {
  const costs = await measure(isExchanged ? [b, a] : [a, b]);
  const ratios = { server: [], all: [] };
  for (const results of costs) {
    const [ofA, ofB] = (isExchanged ? results.toReversed() : results).map(unitOf);
    ratios.server.push(ofB[0] / ofA[0]);
    ratios.all.push(ofB[1] / ofA[1]);
    const shown = [ofA, ofB].map(([server, all]) => `${server.toFixed(1)} (${all.toFixed(1)})`);
    console.log(`A ${shown[0]}, B ${shown[1]}: ${(ofB[0] / ofA[0]).toFixed(2)} (${(ofB[1] / ofA[1]).toFixed(2)})`);
  }
  for (const kind of ['server', 'all']) medians[kind].push(median(ratios[kind]));
  const order = isExchanged ? 'B first' : 'A first';
  console.log(`${order}: B to A, median: ${medians.server.at(-1).toFixed(3)} (${medians.all.at(-1).toFixed(3)})`);
}
const mean = (ratios) => Math.sqrt(ratios[0] * ratios[1]).toFixed(3);
const load = values.rate ? `${values.rate} sends a second` : values.workload;
console.log(
  `B to A, ${what}, ${load}, both orders: server ${mean(medians.server)}, with Postgres ${mean(medians.all)}`,
);
