import { goal } from '../harness/goals.mjs';
import { pairs } from '../targets/casts.mjs';
import { titles } from '../targets/index.mjs';
import { measureVariants, number } from './interleaved.mjs';

const pairCount = 100;
const rates = [100, 400, 2_000];
// At the higher rates the tutorial's server only queues.
const isAbleTo = (name, rate) => name !== 'tutorial' || rate === rates[0];
const variantOf = (name, rate) => `${name}@${rate}`;

/** W4: 200 users one to one, sending at a rate that does not wait for answers. */
export default {
  name: 'W4',
  title: 'how long an ack takes, at equal rates',
  async run(bench) {
    const results = await bench.stage.with(['relay', 'parley', 'tutorial'], async (targets) => {
      const variants = [];
      for (const target of targets) {
        const users = await pairs(target, pairCount);
        for (const rate of rates.filter((one) => isAbleTo(target.name, one))) {
          variants.push({ name: variantOf(target.name, rate), target, job: { users, rate } });
        }
      }
      return measureVariants(bench, variants);
    });
    return { tables: [table(results)], results, goals: goalsOf(results) };
  },
};

function table(results) {
  return {
    title: 'ack, ms',
    columns: ['', 'rate', 'sends/s', 'p50', 'p95', 'p99', 'server ms/1,000', 'generator late, p99'],
    rows: results.names.map((variant) => {
      const [name, rate] = variant.split('@');
      const times = ['p50', 'p95', 'p99'].map((key) => number(results.of(variant, key), 2));
      const rest = [number(results.of(variant, 'serverPer1000')), number(results.of(variant, 'lagMs'), 1)];
      return [titles[name], rate, number(results.of(variant, 'perSecond')), ...times, ...rest];
    }),
  };
}

function goalsOf(results) {
  const ratio = (key, rate) => results.ratio(variantOf('parley', rate), key, variantOf('relay', rate));
  return [
    goal('W4 ack p50 at 100/s, to the relay', ratio('p50', 100), '<=', 2),
    goal('W4 ack p50 at 400/s, to the relay', ratio('p50', 400), '<=', 2),
    goal('W4 ack p99 at 2,000/s, to the relay', ratio('p99', 2_000), '<=', 1),
  ];
}
