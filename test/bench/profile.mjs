/**
 * `npm run bench:profile -- DIR`: where the processor time of the V8 profiles in a directory went,
 * the function itself.
 *
 * Idle time is left out. `--help` tells the options.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { giveUp, numberOf, readCommandLine } from '../../scripts/command-line.mjs';

const usage = `npm run bench:profile -- [options] [DIR]
  DIR                  with the profiles, or directories of them (default: the present one)
  --top N              functions of each profile (default 25)`;
const { values, positionals } = readCommandLine(usage, {
  allowPositionals: true,
  options: { top: { type: 'string', default: '25' } },
});
const [dir = '.'] = positionals;
const top = numberOf(values, 'top');
if (!existsSync(dir)) giveUp(`There is no directory ${dir}`);

function selfTimes({ nodes, samples, timeDeltas }) {
  const byId = new Map(nodes.map((node) => [node.id, node.callFrame]));
  const times = new Map();
  for (const [i, id] of samples.entries()) {
    const { functionName, url, lineNumber } = byId.get(id);
    if (functionName === '(idle)' || functionName === '(program)') continue;
    const place = url ? ` ${url.replace(/^.*\/(node_modules|dist)\//, '')}:${lineNumber + 1}` : '';
    const name = `${functionName || '(anonymous)'}${place}`;
    times.set(name, (times.get(name) ?? 0) + timeDeltas[i]);
  }
  return times;
}

for (const file of readdirSync(dir, { recursive: true }).filter((name) => name.endsWith('.cpuprofile'))) {
  const times = selfTimes(JSON.parse(readFileSync(join(dir, file), 'utf8')));
  const total = [...times.values()].reduce((sum, one) => sum + one, 0);
  console.log(`\n${file}: ${(total / 1_000).toFixed(0)} ms`);
  const sorted = [...times].sort(([, a], [, b]) => b - a).slice(0, top);
  for (const [name, time] of sorted) console.log(`${((time / total) * 100).toFixed(1).padStart(5)} %  ${name}`);
}
