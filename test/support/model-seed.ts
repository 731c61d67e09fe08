import { Random } from '../chaos/random.js';

const asked = process.env['MODEL_SEED'] ?? '7';

/**
 * What tests that go by a model do at random: `MODEL_SEED`, 7 by default, so that a run says
 * something of the change it is run for; `MODEL_SEED=random` looks for what no run has found yet,
 * and names its seed.
 */
export const modelSeed = asked === 'random' ? Date.now() % 1_000_000 : Number(asked);

/** Chances from 0 to below 1, the same for the same seed. */
export function chances(): () => number {
  const random = new Random(modelSeed);
  return () => random.next();
}
