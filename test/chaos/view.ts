import type { SawMessage, SawReaction, StoredMessage } from './history.js';

/** A message as a device shows it. */
export interface ViewedMessage {
  id: string;
  seq: number;
  rev: number;
  text: string | null;
  reactions: Set<string>;
}

/**
 * One conversation as a device shows it: what it saw, repeats dropped by (id, rev) as the contract
 * asks of clients.
 */
export class View {
  readonly messages = new Map<string, ViewedMessage>();
  /** All messages up to this are there. */
  upTo = 0;
  private readonly seqs = new Set<number>();

  /** @returns whether it was news */
  see({ id, seq, rev, text, reactions }: Pick<SawMessage, 'id' | 'seq' | 'rev' | 'text' | 'reactions'>): boolean {
    const known = this.messages.get(id);
    if (known && known.rev >= rev) return false;
    this.messages.set(id, { id, seq, rev, text, reactions: new Set(reactions) });
    this.seqs.add(seq);
    while (this.seqs.has(this.upTo + 1)) this.upTo += 1;
    return true;
  }

  seeReaction({ id, rev, reaction, added }: Pick<SawReaction, 'id' | 'rev' | 'reaction' | 'added'>): boolean {
    const known = this.messages.get(id);
    if (!known || known.rev >= rev) return false;
    known.rev = rev;
    if (added) known.reactions.add(reaction);
    else known.reactions.delete(reaction);
    return true;
  }
}

/** How a view is not what is stored; for people, at most one sentence a message. */
export function differences(view: View, stored: readonly StoredMessage[]): string[] {
  const wrong = stored.flatMap((message) => {
    const why = differenceOf(view.messages.get(message.id), message);
    return why === null ? [] : [`seq ${message.seq} ${why}`];
  });
  const known = new Set(stored.map(({ id }) => id));
  const invented = [...view.messages.values()].filter(({ id }) => !known.has(id));
  return [...wrong, ...invented.map(({ seq, id }) => `seq ${seq} is not stored: ${id}`)];
}

function differenceOf(shown: ViewedMessage | undefined, stored: StoredMessage): string | null {
  if (!shown) return 'is missing';
  if (shown.seq !== stored.seq) return `is shown at ${shown.seq}`;
  if (shown.text !== stored.text) return `reads ${shown.text} at rev ${shown.rev}, not ${stored.text} of ${stored.rev}`;
  const [has, wants] = [[...shown.reactions].sort().join(), stored.reactions.join()];
  if (stored.text !== null && has !== wants)
    return `has reactions ${has} at rev ${shown.rev}, not ${wants} of ${stored.rev}`;
  return null;
}
