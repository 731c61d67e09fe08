/** The common part of the workloads that count acks. */
import { measureCosts } from '../harness/measure.mjs';
import { interleave } from '../harness/rounds.mjs';

const warmUpSeconds = 1.5;
const wrongs = ['lost', 'extra', 'faults', 'refused', 'unanswered'];

/**
 * Measures variants in turns and prints a line for each measurement.
 *
 * @param variants `{ name, target, job }`; the job's kind is 'sending' unless it says otherwise
 * @param options.rounds and options.seconds default to the command line's
 */
export function measureVariants({ services, options, stage, log }, variants, own = {}) {
  const { rounds, seconds, hasWarmUp } = { ...options, ...own };
  const measure = async ({ name, target, job }, isWarmUp) => {
    const time = isWarmUp ? Math.min(warmUpSeconds, seconds) : seconds;
    const result = await measureCosts(target, services, { kind: 'sending', ...job, seconds: time });
    stage.note(target, name, result);
    if (!isWarmUp) log(lineOf(name, result));
    return result;
  };
  return interleave(variants, rounds, measure, hasWarmUp);
}

/** Deliveries lost, doubled or out of order, over all rounds. */
export function wrongDeliveries(results, name) {
  return ['lost', 'extra', 'faults'].reduce((sum, key) => sum + results.sum(name, key), 0);
}

/** A number for a table. */
export function number(value, digits = 0) {
  return Number.isFinite(value) ? value.toFixed(digits) : '-';
}

function lineOf(name, result) {
  const cpu = ['server', 'postgres', 'redis'].map((part) => `${part} ${number(result[`${part}Per1000`])}`);
  const parts = [name.padEnd(20), `${number(result.perSecond).padStart(7)}/s`, `ms/1000: ${cpu.join(', ')}`];
  if (result.p50 !== undefined) parts.push(`p50 ${number(result.p50, 2)} p99 ${number(result.p99, 1)} ms`);
  if (result.generatorShare) parts.push(`generator ${number(result.generatorShare * 100)} %`);
  parts.push(...wrongs.filter((key) => result[key] > 0).map((key) => `${key} ${result[key]}`));
  if (result.firstRefusal) parts.push(result.firstRefusal);
  return parts.join('  ');
}
