/**
 * `npm run bench:pair -- A B`: what a change costs or saves, as the ratio of two builds' processor
 * time.
 *
 * Both servers run under the same load at the same time: on a machine whose speed changes by the
 * minute, what slows one slows the other. Two processes of one build differ by some per cent all
 * the same; run it with A and B exchanged, too.
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
  --size N             members of the group (default 200; typing: 58)
  --rounds N           (default 5)
  --seconds N          of each round (default 4)`;
const { values, positionals } = readCommandLine(usage, {
  allowPositionals: true,
  options: {
    workload: { type: 'string', default: 'sends' },
    'in-flight': { type: 'string', default: '1' },
    size: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
  },
});

const jobs = {
  sends: async (target) => ({ kind: 'sending', users: await pairs(target, 100), inFlight }),
  group: async (target) => ({ kind: 'sending', users: await group(target, size), senders: [0, 1, 2, 3], inFlight }),
  typing: async (target) => ({ kind: 'typing', users: await group(target, size, { mustJoin: true }), typists: 8 }),
};

if (positionals.length !== 2) giveUp('Two directories are needed (--help tells the options)');
if (!jobs[values.workload]) giveUp(`--workload knows no ${values.workload}`);
const inFlight = numberOf(values, 'in-flight');
const size = numberOf({ size: values.workload === 'typing' ? '58' : '200', ...values }, 'size');
const rounds = numberOf(values, 'rounds');
const seconds = numberOf(values, 'seconds');
const mains = positionals.map((directory) => join(resolve(directory), 'dist/main.js'));
for (const main of mains) if (!existsSync(main)) giveUp(`There is no ${main}`);

const services = await startServices();
try {
  const targets = [];
  for (const [i, main] of mains.entries()) targets.push(await startParley(services, `version-${'ab'[i]}`, { main }));
  const work = await Promise.all(targets.map(jobs[values.workload]));
  const unit = values.workload === 'sends' ? 'serverPer1000' : 'perDeliveryUs';
  const ratios = [];
  // The round before the first warms up and does not count.
  for (let round = 0; round <= rounds; round++) {
    const results = await Promise.all(
      targets.map((target, i) => measureCosts(target, services, { ...work[i], seconds })),
    );
    const [a, b] = results.map((result) => result[unit]);
    if (round === 0) continue;
    ratios.push(b / a);
    console.log(`A ${a.toFixed(1)}, B ${b.toFixed(1)}: ${(b / a).toFixed(2)}`);
  }
  const what = values.workload === 'sends' ? 'ms per 1,000 sends' : 'us per delivery';
  console.log(`B to A, processor time of the server (${what}), median: ${median(ratios).toFixed(2)}`);
  await Promise.all(targets.map((target) => target.stop()));
} finally {
  killAll();
  await services.stop();
}
