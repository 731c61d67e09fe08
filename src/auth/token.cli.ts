import { parseArgs } from 'node:util';
import { readServerSettings } from '../config/index.js';
import { mintDevelopmentToken, refuseUnderProduction } from './dev-token.js';

const usage = 'Usage: npm run token -- <user id> [--scopes "admin"] [--expires <seconds>]';

/** Prints a development token, and nothing else, so that it can be captured by a shell. */
async function main(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { scopes: { type: 'string', default: '' }, expires: { type: 'string', default: '86400' } },
  });
  const [sub] = positionals;
  if (sub === undefined || positionals.length > 1) throw new Error(usage);
  // Before the settings: production may lack what this command does not need.
  refuseUnderProduction(process.env.NODE_ENV);
  const scopes = values.scopes.split(/[\s,]+/).filter(Boolean);
  const expiresInSeconds = values.expires === '' ? Number.NaN : Number(values.expires);
  console.log(await mintDevelopmentToken(readServerSettings(process.env), sub, { expiresInSeconds, scopes }));
}

main(process.argv.slice(2)).catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
