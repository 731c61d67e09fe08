import { goal } from '../harness/goals.mjs';
import { runJob } from '../harness/measure.mjs';
import { group } from '../targets/casts.mjs';
import { fillLong, fillMany, longId, manyId, middleOf } from './fill.mjs';
import { measureVariants, number } from './interleaved.mjs';

// The largest ratio of two short rounds on two shared cores. A cost that grows with its input would
// grow a hundredfold.
const noise = 1.5;
const members = Array.from({ length: 8 }, (_, i) => `member${i}`);
const withMany = (count) => Array.from({ length: 4 }, (_, i) => `has${count}-${i}`);

/** W8: what grows: messages of the conversation, its participants, conversations of the user. */
export default {
  name: 'W8',
  title: 'cost as it grows',
  async run(bench) {
    const outcomes = [];
    for (const part of [growingHistory, growingGroup, growingList]) {
      const outcome = await bench.stage.with(['parley'], ([target]) => (target ? part(bench, target) : null));
      if (outcome) outcomes.push(outcome);
    }
    return {
      tables: outcomes.map(({ table }) => table),
      results: outcomes.map(({ results }) => results),
      goals: outcomes.flatMap(({ goals }) => goals),
    };
  },
};

/** @returns the results by `op/size` */
function measureShortly(bench, variants) {
  const { rounds, seconds, isQuick } = bench.options;
  const own = { rounds: Math.min(2, rounds), seconds: seconds / 2, hasWarmUp: !isQuick };
  return measureVariants(bench, variants, own);
}

const asking = (users, ask) => ({ kind: 'asking', users: users.map((user) => ({ ...user, ask })) });

async function growingHistory(bench, target) {
  const sizes = bench.options.isQuick ? [1_000, 10_000] : [1_000, 10_000, 100_000, 1_000_000];
  target.filled = await fillLong(target, sizes, members);
  const variants = sizes.flatMap((size) => {
    const conversationId = longId(size);
    const users = members.map((userId, i) => ({
      url: target.urls[0],
      auth: target.authOf(userId),
      conversationId,
      peers: members.map((_, j) => j).filter((j) => j !== i),
    }));
    const page = { event: 'get-messages', payload: { conversationId } };
    const middle = { event: 'get-messages', payload: { conversationId, beforeSeq: size / 2 } };
    const status = { event: 'get-message-status', payload: { messageId: middleOf(size) } };
    return [
      { name: `send/${size}`, target, job: { users, inFlight: 1 } },
      { name: `newest page/${size}`, target, job: asking(users, page) },
      { name: `page in the middle/${size}`, target, job: asking(users, middle) },
      { name: `status in the middle/${size}`, target, job: asking(users, status) },
    ];
  });
  const results = await measureShortly(bench, variants);
  return growth('messages in the conversation', results, sizes);
}

async function growingGroup(bench, target) {
  const sizes = bench.options.isQuick ? [2, 32] : [2, 32, 256, 1_024];
  const variants = [];
  for (const size of sizes) {
    const users = await group(target, size);
    variants.push({ name: `send, all connected/${size}`, target, job: { users, senders: [0, 1], inFlight: 1 } });
    const absent = await group(target, size, { name: 'absent' });
    // They have a device, and have left.
    await runJob(target, bench.services, { kind: 'idling', users: absent, warmUp: 0, seconds: 0 });
    const present = absent.slice(0, 2).map((user, i) => ({ ...user, peers: [1 - i] }));
    variants.push({ name: `send, two connected/${size}`, target, job: { users: present, inFlight: 1 } });
  }
  const results = await measureShortly(bench, variants);
  const perPacket = (size) => results.of(`send, all connected/${size}`, 'totalPer1000') / size;
  const { table } = growth('participants', results, sizes);
  const ratio = perPacket(sizes.at(-1)) / perPacket(sizes[0]);
  return {
    table,
    results,
    goals: [goal(`W8 cost per ack and delivery, ${sizes.at(-1)} participants to ${sizes[0]}`, ratio, '<=', 1)],
  };
}

async function growingList(bench, target) {
  const counts = bench.options.isQuick ? [10, 100] : [10, 500, 5_000];
  target.filled = await fillMany(target, withMany, counts);
  const variants = counts.flatMap((count) => {
    const users = withMany(count).map((userId, i) => ({
      url: target.urls[0],
      auth: target.authOf(userId),
      conversationId: manyId(i, count, 1),
      peers: [],
    }));
    return [
      { name: `connect and leave/${count}`, target, job: { kind: 'connecting', users } },
      { name: `sync, nothing new/${count}`, target, job: asking(users, { event: 'sync', isSync: true }) },
      { name: `send/${count}`, target, job: { users, inFlight: 1 } },
    ];
  });
  const results = await measureShortly(bench, variants);
  return growth('conversations of the user', results, counts);
}

/**
 * A row per operation, a column per size; a goal each: the largest costs no more than the smallest.
 */
function growth(what, results, sizes) {
  const operations = [...new Set(results.names.map((name) => name.split('/')[0]))];
  const cost = (operation, size) => results.of(`${operation}/${size}`, 'totalPer1000');
  const ratio = (operation) => cost(operation, sizes.at(-1)) / cost(operation, sizes[0]);
  return {
    results,
    table: {
      title: `${what}: server and Postgres, µs an operation`,
      columns: ['', ...sizes.map((size) => size.toLocaleString('en')), 'last to first'],
      rows: operations.map((operation) => [
        operation,
        ...sizes.map((size) => number(cost(operation, size))),
        number(ratio(operation), 2),
      ]),
    },
    goals: operations.map((operation) =>
      goal(
        `W8 ${operation}, ${sizes.at(-1).toLocaleString('en')} ${what} to ${sizes[0]}`,
        ratio(operation),
        '<=',
        noise,
      ),
    ),
  };
}
