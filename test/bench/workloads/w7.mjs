import { goal } from '../harness/goals.mjs';
import { pairs } from '../targets/casts.mjs';
import { measureVariants, number, wrongDeliveries } from './interleaved.mjs';

const pairCount = 100;

/**
 * W7: W1 with every recipient marking every message delivered and read, and every sender hearing of
 * it.
 */
export default {
  name: 'W7',
  title: '200 users one to one, receipts on and off',
  async run(bench) {
    const results = await bench.stage.with(['parley'], async ([target]) => {
      if (!target) return null;
      const users = await pairs(target, pairCount);
      return measureVariants(bench, [
        { name: 'off', target, job: { users, inFlight: 1 } },
        { name: 'on', target, job: { users, inFlight: 1, hasReceipts: true } },
      ]);
    });
    if (!results) return { tables: [], results, goals: [] };
    const ratio = results.ratio('on', 'totalPer1000', 'off');
    const goals = [goal('W7 all CPU of a send with receipts, to without', ratio, '<=', 1.5)];
    return { tables: [table(results)], results, goals };
  },
};

function table(results) {
  return {
    title: 'mark-delivered and mark-read of every message',
    columns: ['receipts', 'sends/s', 'server ms/1,000', '+ Postgres', 'all', 'p50 ms', 'lost, doubled, reordered'],
    rows: results.names.map((name) => [
      name,
      ...['perSecond', 'serverPer1000', 'postgresPer1000', 'totalPer1000'].map((key) => number(results.of(name, key))),
      number(results.of(name, 'p50'), 1),
      wrongDeliveries(results, name),
    ]),
  };
}
