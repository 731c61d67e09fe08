import { goal } from '../harness/goals.mjs';
import { group } from '../targets/casts.mjs';
import { measureVariants } from './interleaved.mjs';
import { deliveryTable } from './send-table.mjs';

const members = 58;
const typists = 8;

/** W5: in a group that all have open, eight start and stop typing. */
export default {
  name: 'W5',
  title: `typing in a group of ${members}, ${typists} at it`,
  async run(bench) {
    const results = await bench.stage.with(['relay', 'parley', 'tutorial'], async (targets) => {
      const variants = [];
      for (const target of targets) {
        const users = await group(target, members, { mustJoin: target.name !== 'relay' });
        variants.push({ name: target.name, target, job: { kind: 'typing', users, typists } });
      }
      return measureVariants(bench, variants);
    });
    const ratio = results.ratio('parley', 'perDeliveryUs', 'relay');
    const goals = [goal('W5 server CPU per typing event heard, to the relay', ratio, '<=', 0.7)];
    return { tables: [deliveryTable('typing-start and typing-stop', results)], results, goals };
  },
};
