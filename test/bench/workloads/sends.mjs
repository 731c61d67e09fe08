/** What the workloads that send have in common. */
import { interleave } from '../harness/rounds.mjs';
import { measureSends } from '../harness/measure.mjs';
import { titles } from '../targets/index.mjs';

const warmUpSeconds = 1.5;

/**
 * Measures variants that send, interleaved.
 *
 * @param variants `{ name, target, job }`
 */
export function measureVariants({ services, options, stage, log }, variants) {
  return interleave(variants, options.rounds, async ({ name, target, job }, isWarmUp) => {
    const seconds = isWarmUp ? Math.min(warmUpSeconds, options.seconds) : options.seconds;
    const result = await measureSends(target, services, { ...job, seconds });
    stage.note(target, result);
    if (!isWarmUp) log(lineOf(name, result));
    return result;
  });
}

function lineOf(name, result) {
  const cpu = ['server', 'postgres', 'redis'].map((part) => `${part} ${result[`${part}Per1000`].toFixed(0)}`);
  const wrong = ['lost', 'extra', 'faults', 'refused', 'unanswered'].filter((key) => result[key] > 0);
  return [
    name.padEnd(16),
    `${result.perSecond.toFixed(0).padStart(7)}/s`,
    `ms/1000: ${cpu.join(', ')}`,
    `p50 ${result.p50.toFixed(1)} p99 ${result.p99.toFixed(1)} ms`,
    `generator ${(result.generatorShare * 100).toFixed(0)} %`,
    ...wrong.map((key) => `${key} ${result[key]}`),
    ...(result.firstRefusal ? [result.firstRefusal] : []),
  ].join('  ');
}

/** A row of a table per target: sends, processor time, ratios to the relay. */
export function sendTable(title, results, base = 'relay') {
  const one = (value, digits = 0) => (Number.isFinite(value) ? value.toFixed(digits) : '-');
  return {
    title,
    columns: [
      '',
      'sends/s',
      'ratio',
      'server ms/1,000',
      'ratio',
      '+ Postgres',
      '+ Redis',
      'p50 ms',
      'p99 ms',
      'lost, doubled, reordered',
    ],
    bar: { of: (name) => results.ratio(name, 'perSecond', base), title: 'sends/s' },
    names: results.names,
    rows: results.names.map((name) => [
      titles[name] ?? name,
      one(results.of(name, 'perSecond')),
      one(results.ratio(name, 'perSecond', base), 2),
      one(results.of(name, 'serverPer1000')),
      one(results.ratio(name, 'serverPer1000', base), 2),
      one(results.of(name, 'postgresPer1000')),
      one(results.of(name, 'redisPer1000')),
      one(results.of(name, 'p50'), 1),
      one(results.of(name, 'p99'), 1),
      one(['lost', 'extra', 'faults'].reduce((sum, key) => sum + results.sum(name, key), 0)),
    ]),
  };
}
