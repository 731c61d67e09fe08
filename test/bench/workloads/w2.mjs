import { goal } from '../harness/goals.mjs';
import { group } from '../targets/casts.mjs';
import { titles } from '../targets/index.mjs';
import { measureVariants } from './sends.mjs';

const sizes = [200, 1_000];
const limits = { 200: 0.5, 1000: 0.45 };
const senders = [0, 1, 2, 3];

/** W2: groups, four members sending, everybody hearing. */
export default {
  name: 'W2',
  title: 'groups of 200 and 1,000, four members sending',
  async run(bench) {
    const tables = [];
    const results = {};
    const goals = [];
    for (const size of sizes) {
      results[size] = await bench.stage.with(['relay', 'parley', 'corked', 'tutorial'], async (targets) => {
        const variants = [];
        for (const target of targets) {
          variants.push({ name: target.name, target, job: { users: await group(target, size), senders, inFlight: 1 } });
        }
        return measureVariants(bench, variants);
      });
      tables.push(table(`group of ${size.toLocaleString('en')}`, results[size]));
      const ratio = results[size].ratio('parley', 'perDeliveryUs', 'relay');
      goals.push(goal(`W2 server CPU per delivery, group of ${size}, to the relay`, ratio, '<=', limits[size]));
    }
    return { tables, results, goals };
  },
};

function table(title, results) {
  return {
    title,
    columns: ['', 'deliveries/s', 'server µs per delivery', 'ratio', 'p50 ms', 'lost, doubled, reordered'],
    bar: { of: (name) => results.ratio(name, 'perDeliveryUs', 'relay'), title: 'CPU per delivery' },
    names: results.names,
    rows: results.names.map((name) => [
      titles[name],
      ((results.of(name, 'perSecond') * results.of(name, 'deliveries')) / results.of(name, 'acked')).toFixed(0),
      results.of(name, 'perDeliveryUs').toFixed(1),
      results.ratio(name, 'perDeliveryUs', 'relay').toFixed(2),
      results.of(name, 'p50').toFixed(1),
      ['lost', 'extra', 'faults'].reduce((sum, key) => sum + results.sum(name, key), 0),
    ]),
  };
}
