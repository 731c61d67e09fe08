/** Writes the result of the run: text for a terminal, and `docs/performance.md`. */
import { cpus } from 'node:os';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { lineOf, rowOf } from './goals.mjs';

const page = fileURLToPath(new URL('../../../docs/performance.md', import.meta.url));
const marks = { begin: '<!-- bench:begin -->', end: '<!-- bench:end -->' };
const barWidth = 30;

function markdownTable(columns, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(columns), line(columns.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

/** One bar a row, as long as its number beside the largest. */
function bars({ rows, names, bar }) {
  const values = names.map((name) => bar.of(name));
  const unit = barWidth / Math.max(...values.filter(Number.isFinite));
  const width = Math.max(...rows.map(([title]) => title.length));
  const lines = rows.map(([title], i) =>
    Number.isFinite(values[i])
      ? `${title.padEnd(width)} ${'█'.repeat(Math.max(1, Math.round(values[i] * unit)))} ${values[i].toFixed(2)}`
      : `${title.padEnd(width)} -`,
  );
  return `${bar.title}:\n\n\`\`\`text\n${lines.join('\n')}\n\`\`\``;
}

function tableText(table) {
  const parts = [`**${table.title}**`, markdownTable(table.columns, table.rows)];
  if (table.bar) parts.push(bars(table));
  return parts.join('\n\n');
}

/** The tables of one workload. */
export function workloadText({ workload, outcome }) {
  return [`### ${workload.name}: ${workload.title}`, ...outcome.tables.map(tableText)].join('\n\n');
}

export function goalsText(goals) {
  return goals.map(lineOf).join('\n');
}

/** Writes what was measured between the marks of `docs/performance.md`. */
export async function writePage({ command, outcomes, goals, faults, minutes, fsync }) {
  const about = [
    `Measured with \`${command}\` on ${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), Node ${process.versions.node}, Postgres with fsync ${fsync}, on ${new Date().toISOString().slice(0, 10)}, in ${minutes.toFixed(0)} minutes.`,
    faults.length === 0
      ? 'Nothing Parley acked was lost, doubled or reordered, and it stored as many rows as it acked.'
      : `Faults: ${faults.join('; ')}.`,
  ].join('\n');
  const goalTable = markdownTable(['goal', 'measured', 'limit', ''], goals.map(rowOf));
  const text = [about, '## Goals', goalTable, '## Workloads', ...outcomes.map(workloadText)].join('\n\n');
  const old = readFileSync(page, 'utf8');
  const [head, tail] = [old.split(marks.begin)[0], old.split(marks.end)[1]];
  const whole = `${head}${marks.begin}\n\n${text}\n\n${marks.end}${tail}`;
  writeFileSync(page, await format(whole, { ...(await resolveConfig(page)), parser: 'markdown' }));
}
