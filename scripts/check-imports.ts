/**
 * Holds the layering of docs/architecture.md (`.dependency-cruiser.cjs`), and shows that every
 * module was looked at: a tool that reads nothing finds nothing.
 */
import { readdir } from 'node:fs/promises';
import { cruise, type ICruiseResult } from 'dependency-cruiser';
import extractOptions from 'dependency-cruiser/config-utl/extract-depcruise-options';
import extractTypeScriptConfig from 'dependency-cruiser/config-utl/extract-ts-config';

const roots = ['src', 'examples'];
const { output } = await cruise(roots, await extractOptions('./.dependency-cruiser.cjs'), undefined, {
  tsConfig: extractTypeScriptConfig('./tsconfig.json'),
});
const { modules, summary } = output as ICruiseResult;

const names = await readdir('src', { recursive: true });
const files = names.filter((name) => name.endsWith('.ts')).map((name) => `src/${name.replaceAll('\\', '/')}`);
const read = new Set(modules.map(({ source }) => source));
const unread = files.filter((file) => !read.has(file));
const faults = [
  ...unread.map((file) => `${file}: was not read`),
  ...summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`),
];
for (const fault of faults) console.error(fault);
console.log(`layering: ${files.length - unread.length} of ${files.length} modules read, ${faults.length} faults`);
process.exitCode = files.length === 0 || faults.length > 0 ? 1 : 0;
