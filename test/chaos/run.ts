/**
 * `npm run chaos -- --minutes 3 --seed 7`: hurts three nodes under load and checks what they did.
 * Ends with 1 if anything did not hold.
 */
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { giveUp, numberOf, readCommandLine } from '../../scripts/command-line.mjs';
import { transpileSource } from '../setup/transpiled-source.js';
import { runCampaign, type CampaignPlan } from './campaign.js';
import { check } from './checker.js';
import { readHistory, type Entry } from './history.js';
import { runNodeDeath } from './node-death.js';
import { reportOf } from './report.js';

const usage = `npm run chaos -- [options]
  --minutes N          of load and faults (default 3)
  --seed N             of everything left to chance but time (default: another each time)
  --rate N             sends a second (default 60)
  --smoke              a short run with short presence bounds, as .ci/run does
  --scenario NAME      node-death: figures on one node's death, instead of a campaign
  --check FILE         only checks the history of a run`;

const { values: options } = readCommandLine(usage, {
  options: {
    minutes: { type: 'string', default: '3' },
    seed: { type: 'string', default: String(1 + (Date.now() % 1_000_000)) },
    rate: { type: 'string', default: '60' },
    smoke: { type: 'boolean', default: false },
    scenario: { type: 'string' },
    check: { type: 'string' },
  },
});

/**
 * Freezes last up to 8 s: presence outlives them by a renewal, and a dead link does not outlive
 * presence.
 */
const smoke = { minutes: 0.8, presenceTtlMs: 15_000, settings: { PING_INTERVAL_MS: '6000', PING_TIMEOUT_MS: '5000' } };
const whole = { minutes: numberOf(options, 'minutes'), presenceTtlMs: 30_000, settings: {} };
const chance = { seed: numberOf(options, 'seed'), sendsPerSecond: numberOf(options, 'rate') };

async function main(): Promise<boolean> {
  const { check: file, scenario } = options;
  if (file !== undefined && !existsSync(file)) giveUp(`There is no file ${file}`);
  if (file !== undefined) return judge(await readHistory(file));
  if (scenario !== undefined && scenario !== 'node-death') giveUp(`--scenario knows no ${scenario}, only node-death`);
  const dir = await mkdtemp(join(tmpdir(), 'parley-chaos-'));
  // Postgres, an unprivileged user when root runs this, must be able to enter.
  await chmod(dir, 0o755);
  const dist = await transpileSource();
  const hasHeld = await (scenario ? runNodeDeath(dir, dist) : campaign(dir, dist));
  if (hasHeld) await rm(dir, { recursive: true, force: true });
  else tell(`History and logs: ${dir}`);
  return hasHeld;
}

async function campaign(dir: string, dist: string): Promise<boolean> {
  const plan: CampaignPlan = { ...(options.smoke ? smoke : whole), ...chance, dir, dist };
  tell(`Chaos: ${plan.minutes} min, seed ${plan.seed}, ${plan.sendsPerSecond} sends/s, in ${dir}`);
  return judge(await runCampaign(plan));
}

function judge(entries: readonly Entry[]): boolean {
  const violations = check(entries);
  tell(reportOf(entries, violations));
  return violations.length === 0;
}

function tell(text: string): true {
  console.log(`${text}\n`);
  return true;
}

process.exit((await main()) ? 0 : 1);
