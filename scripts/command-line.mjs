/**
 * The common part of the `npm run` commands: `--help`, and a one-line message for a mistyped
 * option.
 */
import { parseArgs } from 'node:util';

/**
 * Ends the process with one line that says what is wrong. @param code 2: what was typed; 1: what
 * the machine lacks
 */
export function giveUp(line, code = 2) {
  process.stderr.write(`${line}\n`);
  process.exit(code);
}

/**
 * Reads options as `parseArgs` describes them.
 *
 * `--help` prints the usage and ends the process with 0; what cannot be read ends it with 2.
 *
 * @returns `{ values, positionals }`
 */
export function readCommandLine(usage, config, args = process.argv.slice(2)) {
  const parsed = parse({ ...config, args, options: { ...config.options, help: { type: 'boolean', default: false } } });
  if (!parsed.values.help) return parsed;
  process.stdout.write(`${usage}\n`);
  process.exit(0);
}

function parse(config) {
  try {
    return parseArgs(config);
  } catch (error) {
    // The rest of the message explains the syntax of arguments that begin with a dash.
    return giveUp(`${error.message.split(/\.\s|\n/)[0]} (--help tells the options)`);
  }
}

/** The number an option gives, above 0; another ends the process with 2. */
export function numberOf(values, name) {
  const number = Number(values[name]);
  return number > 0 && Number.isFinite(number) ? number : giveUp(`--${name} must be a number above 0`);
}
