import { parseArgs } from 'node:util';
import { starters } from '../targets/index.mjs';

const list = (text) => text?.split(',').filter(Boolean);

function numberOf(values, name) {
  const number = Number(values[name]);
  if (!(number > 0)) throw new Error(`--${name} must be a number above 0`);
  return number;
}

/** What the command line says; see `run.mjs`. */
export function readOptions(args, workloadNames) {
  const { values } = parseArgs({
    args,
    options: {
      workload: { type: 'string', default: workloadNames.join(',') },
      targets: { type: 'string', default: Object.keys(starters).join(',') },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      'in-flight': { type: 'string' },
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
      report: { type: 'boolean', default: false },
      profile: { type: 'string' },
    },
  });
  const { quick: isQuick, json: jsonFile, report: hasReport, profile: profileDir } = values;
  const workloads = list(values.workload.toUpperCase());
  const targets = list(values.targets);
  for (const name of workloads) if (!workloadNames.includes(name)) throw new Error(`--workload knows no ${name}`);
  for (const name of targets) if (!starters[name]) throw new Error(`--targets knows no ${name}`);
  const rounds = numberOf({ rounds: isQuick ? '1' : '3', ...values }, 'rounds');
  const seconds = numberOf({ seconds: isQuick ? '1' : '3', ...values }, 'seconds');
  const inFlight = list(values['in-flight'])?.map(Number);
  return { workloads, targets, rounds, seconds, inFlight, isQuick, jsonFile, hasReport, profileDir };
}
