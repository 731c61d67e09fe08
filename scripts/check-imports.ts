/**
 * Holds the layering of docs/architecture.md (`.dependency-cruiser.cjs`), and shows that every module was looked at: a
 * tool that reads nothing finds nothing.
 */
import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { promisify } from 'node:util';

interface Report {
  modules: { source: string }[];
  summary: { violations: { rule: { name: string; severity: string }; from: string; to: string }[] };
}

async function cruise(): Promise<Report> {
  const args = ['--config', '.dependency-cruiser.cjs', '--output-type', 'json', 'src', 'examples'];
  const options = { maxBuffer: 256 * 1_048_576 };
  // The tool's exit status counts the violations, which are in the report as well.
  const { stdout } = await promisify(execFile)('node_modules/.bin/depcruise', args, options).catch(
    (failure: { stdout?: string; stderr?: string }) => {
      if (failure.stdout?.startsWith('{')) return { stdout: failure.stdout };
      throw new Error(`dependency-cruiser failed: ${failure.stderr ?? ''}`);
    },
  );
  return JSON.parse(stdout) as Report;
}

const report = await cruise();
const files = (await readdir('src', { recursive: true }))
  .filter((name) => name.endsWith('.ts'))
  .map((name) => `src/${name}`);
const read = new Set(report.modules.map(({ source }) => source));
const unread = files.filter((file) => !read.has(file));
const faults = [
  ...unread.map((file) => `${file}: was not read`),
  ...report.summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`),
];
for (const fault of faults) console.error(fault);
console.log(`layering: ${files.length - unread.length} of ${files.length} modules read, ${faults.length} faults`);
process.exitCode = files.length === 0 || faults.length > 0 ? 1 : 0;
