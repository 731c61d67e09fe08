import { Random } from '../chaos/random.js';

const asked = process.env['MODEL_SEED'] ?? '7';

/**
 * The seed of tests that compare with a model: `MODEL_SEED`, 7 by default, so that runs before and
 * after a change compare. `MODEL_SEED=random` looks for new faults, and prints its seed.
 */
export const modelSeed = asked === 'random' ? Date.now() % 1_000_000 : Number(asked);

/** Chances from 0 to below 1, the same for the same seed. */
export function chances(): () => number {
  const random = new Random(modelSeed);
  return () => random.next();
}
