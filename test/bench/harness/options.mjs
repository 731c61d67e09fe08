import { giveUp, numberOf, readCommandLine } from '../../../scripts/command-line.mjs';
import { starters } from '../targets/index.mjs';

const usage = (workloadNames) => `npm run bench -- [options]
  --workload W1,W2     only these of ${workloadNames.join(', ')}
  --targets a,b        only these of ${Object.keys(starters).join(', ')} (parley-plain goes no way round public interfaces)
  --rounds N           (default 3)
  --seconds N          of a measurement (default 3)
  --in-flight 1,8      of W1's numbers of sends on the way only these
  --call-us N          has system calls of all but Postgres and Redis cost N microseconds more, as in sandboxes (needs cc)
  --quick              one short round of smaller casts, to see that it runs
  --json FILE          everything measured
  --report             writes docs/performance.md
  --profile DIR        has each Parley process write a V8 profile (npm run bench:profile -- DIR reads it)`;

const list = (text) => text?.split(',').filter(Boolean);

function known(name, values, names) {
  for (const value of values)
    if (!names.includes(value)) giveUp(`--${name} knows no ${value}, only ${names.join(', ')}`);
  return values;
}

/** Reads the command line; exits with 2 if it is invalid. */
export function readOptions(args, workloadNames) {
  const config = {
    options: {
      workload: { type: 'string', default: workloadNames.join(',') },
      targets: { type: 'string', default: Object.keys(starters).join(',') },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      'in-flight': { type: 'string' },
      'call-us': { type: 'string' },
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
      report: { type: 'boolean', default: false },
      profile: { type: 'string' },
    },
  };
  const { values } = readCommandLine(usage(workloadNames), config, args);
  const { quick: isQuick, json: jsonFile, report: hasReport, profile: profileDir } = values;
  const workloads = known('workload', list(values.workload.toUpperCase()), workloadNames);
  const targets = known('targets', list(values.targets), Object.keys(starters));
  const rounds = numberOf({ rounds: isQuick ? '1' : '3', ...values }, 'rounds');
  const seconds = numberOf({ seconds: isQuick ? '1' : '3', ...values }, 'seconds');
  const inFlight = list(values['in-flight'])?.map((text) => numberOf({ 'in-flight': text }, 'in-flight'));
  const callUs = values['call-us'] === undefined ? null : numberOf(values, 'call-us');
  return { workloads, targets, rounds, seconds, inFlight, callUs, isQuick, jsonFile, hasReport, profileDir };
}
