import type { Ledger } from './ledger.js';
import type { Vault } from './vault.js';

const name = 'handed-over';
const collectMs = 1_000;
// Far more than come between a position and the one before; some 25 KB.
const maxEntries = 500;

/**
 * Keeps the newest of the ledger over a restart: a stored position lies a little back, so the next
 * run's first sync tells some of what this one has handed over. Written at most once a second; an
 * app that is killed is told the last second again.
 */
export class LedgerStore {
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly ledger: Ledger,
    private readonly vault: Vault,
  ) {}

  async load(): Promise<void> {
    this.ledger.restore((await this.vault.read<[string, number | null][]>(name)) ?? []);
  }

  /** Something was handed over. */
  touch(): void {
    this.timer ??= setTimeout(() => this.flush(), collectMs);
  }

  flush(): void {
    if (this.timer === undefined) return;
    clearTimeout(this.timer);
    this.timer = undefined;
    void this.vault.write(name, () => this.ledger.newest(maxEntries));
  }

  forget(): void {
    void this.vault.remove(name);
  }
}
