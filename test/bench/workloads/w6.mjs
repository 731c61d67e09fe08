import { goal } from '../harness/goals.mjs';
import { pairs } from '../targets/casts.mjs';
import { measureVariants } from './interleaved.mjs';
import { sendTable } from './send-table.mjs';

const pairCount = 100;

/**
 * W6: W1 over two processes and Redis, the two of each pair on different ones; and what Redis costs
 * one process.
 */
export default {
  name: 'W6',
  title: '200 users one to one, over two processes',
  async run(bench) {
    const names = ['relay-two', 'parley-two', 'parley', 'parley-redis'];
    const results = await bench.stage.with(names, async (targets) => {
      const variants = [];
      for (const target of targets) {
        variants.push({ name: target.name, target, job: { users: await pairs(target, pairCount), inFlight: 1 } });
      }
      return measureVariants(bench, variants);
    });
    const withRedis = results.ratio('parley-redis', 'totalPer1000', 'parley');
    const goals = [
      goal('W6 sends/s on two nodes, to two relays', results.ratio('parley-two', 'perSecond', 'relay-two'), '>=', 2),
      goal('W6 all CPU of a send on one node with Redis, to without', withRedis, '<=', 1.15),
    ];
    return { tables: [sendTable('1 in flight', results, 'relay-two')], results, goals };
  },
};
