import { goal } from '../harness/goals.mjs';
import { runJob } from '../harness/measure.mjs';
import { interleave } from '../harness/rounds.mjs';
import { idlers } from '../targets/casts.mjs';
import { titles } from '../targets/index.mjs';

const connections = 5_000;
const idleSeconds = 6;

/**
 * W3: idle connections, each of another user; fresh processes every round, since memory is not
 * given back.
 */
export default {
  name: 'W3',
  title: '5,000 idle connections',
  async run(bench) {
    const { options, stage, services, log } = bench;
    const count = options.isQuick ? connections / 10 : connections;
    const variants = stage.wanted(['relay', 'parley']).map((name) => ({ name }));
    const measure = async ({ name }, isWarmUp) => {
      // The users have been there before: the round that warms up is the one that makes them known.
      const databaseUrl = databases.get(name);
      const target = await stage.start(name, { databaseUrl });
      databases.set(name, target.databaseUrl);
      try {
        const job = { kind: 'idling', users: idlers(target, count), warmUp: count / 10, seconds: idleSeconds };
        const result = costsOf(await runJob(target, services, isWarmUp ? { ...job, seconds: 0 } : job));
        if (!isWarmUp) log(lineOf(name, result));
        return result;
      } finally {
        await target.stop();
      }
    };
    const databases = new Map();
    const results = await interleave(variants, options.rounds, measure);
    return { tables: [table(results)], results, goals: goalsOf(results) };
  },
};

function costsOf(result) {
  const { start, connected, end } = result.clocks;
  const between = (from, to, name) => to[name] - from[name];
  return {
    ...result,
    residentKb: between(start, end, 'residentBytes') / 1_024 / result.connections,
    handshakeUs: (between(start, connected, 'server') * 1_000) / result.connections,
    handshakePostgresUs: (between(start, connected, 'postgres') * 1_000) / result.connections,
    idleShare: between(connected, end, 'server') / 1_000 / idleSeconds,
  };
}

function lineOf(name, result) {
  return `${name.padEnd(16)} ${result.residentKb.toFixed(1)} KiB each, handshake ${result.handshakeUs.toFixed(0)} µs + ${result.handshakePostgresUs.toFixed(0)} in Postgres, ${result.perSecond.toFixed(0)}/s, idle ${(result.idleShare * 100).toFixed(1)} % of a core`;
}

function table(results) {
  return {
    title: `${connections.toLocaleString('en')} connections`,
    columns: [
      '',
      'RSS each, KiB',
      'ratio',
      'handshake CPU, µs',
      'ratio',
      '+ Postgres',
      'handshakes/s',
      'idle, % of a core',
    ],
    bar: { of: (name) => results.ratio(name, 'handshakeUs', 'relay'), title: 'handshake CPU, bare relay = 1' },
    names: results.names,
    rows: results.names.map((name) => [
      titles[name],
      results.of(name, 'residentKb').toFixed(1),
      results.ratio(name, 'residentKb', 'relay').toFixed(2),
      results.of(name, 'handshakeUs').toFixed(0),
      results.ratio(name, 'handshakeUs', 'relay').toFixed(2),
      results.of(name, 'handshakePostgresUs').toFixed(0),
      results.of(name, 'perSecond').toFixed(0),
      (results.of(name, 'idleShare') * 100).toFixed(1),
    ]),
  };
}

function goalsOf(results) {
  return [
    goal('W3 RSS per idle connection, to the relay', results.ratio('parley', 'residentKb', 'relay'), '<=', 1.15),
    goal('W3 handshake CPU, to the relay', results.ratio('parley', 'handshakeUs', 'relay'), '<=', 0.8),
  ];
}
