/** Times in ms and their percentiles. */
export class Latencies {
  #all = [];

  add(ms) {
    this.#all.push(ms);
  }

  summary() {
    const sorted = Float64Array.from(this.#all).sort();
    const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? null;
    return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
  }
}
