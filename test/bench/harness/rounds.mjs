/** The middle one. */
export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

/**
 * Measures each variant once a round, in another order each round, after a round that warms up and
 * does not count.
 *
 * @param measure called with (variant, isWarmUp), returns numbers by name
 * @param hasWarmUp whether there is such a round
 * @returns results by name of variant, a list each
 */
export async function interleave(variants, rounds, measure, hasWarmUp = true) {
  const results = new Map(variants.map(({ name }) => [name, []]));
  for (let round = hasWarmUp ? -1 : 0; round < rounds; round++) {
    const first = Math.max(0, round) % variants.length;
    for (const variant of [...variants.slice(first), ...variants.slice(0, first)]) {
      const result = await measure(variant, round < 0);
      if (round >= 0) results.get(variant.name).push(result);
    }
  }
  return new Results(results);
}

/** Results of one run, round by round. */
export class Results {
  constructor(byName) {
    this.byName = byName;
  }

  get names() {
    return [...this.byName.keys()];
  }

  /** The median of a number; NaN where it was not measured. */
  of(name, key) {
    const numbers = (this.byName.get(name) ?? []).map((one) => one[key]);
    return numbers.length === 0 ? NaN : median(numbers);
  }

  /** The median over the rounds of a variant's number divided by another's in the same round. */
  ratio(name, key, base) {
    const others = this.byName.get(base) ?? [];
    const ratios = (this.byName.get(name) ?? []).map((one, round) => one[key] / others[round]?.[key]);
    return ratios.length === 0 ? NaN : median(ratios);
  }

  sum(name, key) {
    return (this.byName.get(name) ?? []).reduce((total, one) => total + (one[key] ?? 0), 0);
  }

  toJSON() {
    return Object.fromEntries(this.byName);
  }
}
