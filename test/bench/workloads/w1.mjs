import { goal } from '../harness/goals.mjs';
import { Results } from '../harness/rounds.mjs';
import { pairs } from '../targets/casts.mjs';
import { measureVariants } from './interleaved.mjs';
import { sendTable } from './send-table.mjs';

const pairCount = 100;
const nothing = new Results(new Map());
const targetsByInFlight = {
  1: ['relay', 'parley', 'parley-plain', 'corked', 'prototype', 'relay-redis', 'tutorial'],
  8: ['relay', 'parley', 'corked', 'prototype'],
};

/** W1: 200 users, one to one, each with one send on the way, and with eight. */
export default {
  name: 'W1',
  title: '200 users one to one',
  async run(bench) {
    const tables = [];
    const results = {};
    for (const [inFlight, names] of Object.entries(targetsByInFlight)) {
      if (bench.options.inFlight?.includes(Number(inFlight)) === false) continue;
      results[inFlight] = await bench.stage.with(names, async (targets) => {
        const variants = [];
        for (const target of targets) {
          const users = await pairs(target, pairCount);
          variants.push({ name: target.name, target, job: { users, inFlight: Number(inFlight) } });
        }
        return measureVariants(bench, variants);
      });
      tables.push(sendTable(`${inFlight} in flight`, results[inFlight]));
    }
    return { tables, results, goals: goalsOf(results) };
  },
};

function goalsOf({ 1: one = nothing, 8: eight = nothing }) {
  return [
    goal('W1 sends/s, 1 in flight, to the relay', one.ratio('parley', 'perSecond', 'relay'), '>=', 1.5),
    goal('W1 sends/s, 8 in flight, to the relay', eight.ratio('parley', 'perSecond', 'relay'), '>=', 1.8),
    goal('W1 sends/s, 1 in flight, to the corked relay', one.ratio('parley', 'perSecond', 'corked'), '>=', 1.2),
    goal('W1 server CPU per send, to the relay', one.ratio('parley', 'serverPer1000', 'relay'), '<=', 0.6),
    goal('W1 server + Postgres CPU per send, to the relay', totalRatio(one), '<=', 0.9),
  ];
}

// The relay uses neither Postgres nor Redis; what they do by themselves meanwhile is not its.
function totalRatio(one) {
  return one.of('parley', 'totalPer1000') / one.of('relay', 'serverPer1000');
}
