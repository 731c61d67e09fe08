/**
 * Writes the generated documents. With `--check` it compares them with the files instead, validates
 * the OpenAPI and AsyncAPI documents, and compares the contract (`docs/protocol.md`) with the code.
 */
import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { format, resolveConfig } from 'prettier';
import { errorCodes } from '../src/common/index.js';
import { asyncApi, asyncApiFaults } from './asyncapi.js';
import { citationFaults, contractFaults, readContract, routeName } from './contract.js';
import { errorsPage, openApiJson, redisKeysPage, settingsMarkdown, settingsPage } from './generated-documents.js';

const settingsInReadme = /(<!-- settings:begin -->\n)[\s\S]*(<!-- settings:end -->)/;

async function readmeWithSettings(): Promise<string> {
  const readme = await readFile('README.md', 'utf8');
  if (!settingsInReadme.test(readme)) throw new Error('README.md: the settings markers are missing');
  return readme.replace(
    settingsInReadme,
    (_, begin: string, end: string) => `${begin}\n${settingsMarkdown()}\n\n${end}`,
  );
}

async function validate(openApi: string): Promise<string[]> {
  const config = await createConfig({ extends: ['recommended'] });
  const problems = await lintFromString({ source: openApi, absoluteRef: 'docs/openapi.json', config });
  return problems
    .filter(({ severity }) => severity === 'error')
    .map(({ message, location }) => `docs/openapi.json: ${message} (${location[0]?.pointer ?? ''})`);
}

/** @returns where `docs/protocol.md`, the code, and the files that cite the contract differ */
async function compareWithContract(openApi: string, eventNames: string[]): Promise<string[]> {
  const contract = readContract(await readFile('docs/protocol.md', 'utf8'));
  const { paths } = JSON.parse(openApi) as { paths: Record<string, object> };
  const routes = Object.entries(paths).flatMap(([path, verbs]) =>
    Object.keys(verbs).map((verb) => routeName(verb, path)),
  );
  const code = {
    events: new Set(eventNames),
    routes: new Set(routes.filter((route) => route.includes(' /v1/'))),
    codes: new Set(errorCodes().map(([name]) => name)),
  };
  const files = execFileSync('git', ['ls-files', '*.ts', '*.md', '*.mjs', '*.lua', '*.sql'], { encoding: 'utf8' });
  const citations = await Promise.all(
    files
      .trim()
      .split('\n')
      .map(async (file) => citationFaults(file, await readFile(file, 'utf8'), contract.anchors)),
  );
  return [...contractFaults(contract, code), ...citations.flat()];
}

async function isCurrent(path: string, text: string): Promise<boolean> {
  return (await readFile(path, 'utf8').catch(() => '')) === text;
}

const openApi = await openApiJson();
const events = asyncApi();
const documents = {
  'docs/openapi.json': openApi,
  'docs/asyncapi.yaml': events.yaml,
  'docs/errors.md': errorsPage(),
  'docs/redis-keys.md': redisKeysPage(),
  'docs/settings.md': settingsPage(),
  'README.md': await readmeWithSettings(),
};
const faults = [
  ...(await validate(openApi)),
  ...events.faults,
  ...(await asyncApiFaults(events.yaml)),
  ...(await compareWithContract(openApi, events.names)),
];

for (const [path, text] of Object.entries(documents)) {
  const formatted = await format(text, { ...(await resolveConfig(path)), filepath: path });
  if (await isCurrent(path, formatted)) continue;
  if (process.argv.includes('--check')) faults.push(`${path}: is out of date; run npm run docs:generate`);
  else await writeFile(path, formatted);
}

for (const fault of faults) console.error(fault);
console.log(`documents: ${Object.keys(documents).length} generated, ${faults.length} faults`);
process.exit(faults.length > 0 ? 1 : 0);
