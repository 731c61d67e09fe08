import type { OutboxEntry } from './client.events.js';
import type { Vault } from './vault.js';

const index = 'outbox';

/** The stored outbox: each entry under a key of its own, and one list of the keys in order. */
export class OutboxStore {
  constructor(private readonly vault: Vault) {}

  /** @returns what earlier runs of the app left, oldest first */
  async load(): Promise<OutboxEntry[]> {
    const names = (await this.vault.read<string[]>(index)) ?? [];
    const entries = await Promise.all(names.map((name) => this.vault.read<OutboxEntry>(name)));
    return entries.filter((entry) => entry !== null);
  }

  /**
   * Resolves when both are written: the entry first, so that the list names nothing that is not
   * there.
   */
  async add(entry: OutboxEntry, all: () => readonly OutboxEntry[]): Promise<void> {
    await Promise.all([this.vault.write(nameOf(entry), () => entry), this.writeIndex(all)]);
  }

  async remove(entry: OutboxEntry, all: () => readonly OutboxEntry[]): Promise<void> {
    await Promise.all([this.writeIndex(all), this.vault.remove(nameOf(entry))]);
  }

  private writeIndex(all: () => readonly OutboxEntry[]): Promise<unknown> {
    return this.vault.write(index, () => all().map(nameOf));
  }
}

function nameOf({ conversationId, clientMessageId }: OutboxEntry): string {
  return `outbox:${conversationId}:${clientMessageId}`;
}
