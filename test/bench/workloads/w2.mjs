import { goal } from '../harness/goals.mjs';
import { group } from '../targets/casts.mjs';
import { measureVariants } from './interleaved.mjs';
import { deliveryTable } from './send-table.mjs';

const targetsBySize = {
  200: ['relay', 'parley', 'corked', 'tutorial'],
  1000: ['relay', 'parley', 'parley-plain', 'corked'],
};
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
    for (const [key, names] of Object.entries(targetsBySize)) {
      const size = Number(key);
      results[size] = await bench.stage.with(names, async (targets) => {
        const variants = [];
        for (const target of targets) {
          variants.push({ name: target.name, target, job: { users: await group(target, size), senders, inFlight: 1 } });
        }
        return measureVariants(bench, variants);
      });
      tables.push(deliveryTable(`group of ${size.toLocaleString('en')}`, results[size]));
      const ratio = results[size].ratio('parley', 'perDeliveryUs', 'relay');
      goals.push(goal(`W2 server CPU per delivery, group of ${size}, to the relay`, ratio, '<=', limits[size]));
    }
    return { tables, results, goals };
  },
};
