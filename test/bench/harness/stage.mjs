import { starters } from '../targets/index.mjs';

/**
 * Starts fresh targets for a workload, checks at its end what the durable ones stored, and stops
 * them.
 */
export class Stage {
  #services;
  #options;
  faults = [];

  constructor(services, options) {
    this.#services = services;
    this.#options = options;
  }

  /** Which of these the command line wants. */
  wanted(names) {
    return names.filter((name) => this.#options.targets.includes(name));
  }

  /**
   * @param names of targets; those the command line leaves out are left out
   * @param work called with the targets started
   */
  async with(names, work) {
    const targets = [];
    try {
      for (const name of this.wanted(names)) targets.push(await this.start(name));
      const result = await work(targets);
      for (const target of targets) await this.#check(target);
      return result;
    } finally {
      for (const target of targets) await target.stop();
    }
  }

  /** Starts a target that the caller stops. @param more options of the target */
  start(name, more = {}) {
    const { profileDir } = this.#options;
    return starters[name](this.#services, { profileDir: profileDir && `${profileDir}/${name}`, ...more });
  }

  /** Rows stored = sends acked, numbered without gaps: else a fault of the run. */
  async #check(target) {
    const stored = await target.stored();
    if (stored === null || target.acked === undefined) return;
    const wanted = target.acked + (target.filled ?? 0);
    if (stored.rows !== wanted) this.faults.push(`${target.name}: ${wanted} sends acked, ${stored.rows} rows stored`);
    if (stored.gaps > 0) this.faults.push(`${target.name}: ${stored.gaps} conversations do not count 1, 2, 3 …`);
  }

  /** Lost, doubled or reordered: a fault of the run where the target promises otherwise. */
  note(target, variant, result) {
    if (!target.name.startsWith('parley')) return;
    for (const key of ['lost', 'extra', 'faults', 'refused', 'unanswered']) {
      if (result[key] > 0) this.faults.push(`${variant}: ${result[key]} ${key}`);
    }
  }
}
