import { groupBy } from '../group-by.js';
import type { Answer, Ask, Entry, EntryOf, Kind, SawMessage, StoredMessage } from '../history.js';

/**
 * An event a device sent, and what became of it. Positions count the entries of the history: they
 * order what `t` does not.
 */
export interface AskRecord extends Ask {
  at: number;
  t: number;
  answer: (Answer & { at: number; t: number }) | null;
}

export interface ConnectionRecord {
  d: string;
  n: number;
  user: string;
  openedAt: number;
  openedT: number;
  /** Infinity: it was open to the end. */
  closedAt: number;
  closedT: number;
  asks: AskRecord[];
  /**
   * When the newest event was sent that got an answer: it was alive both ways until then at least.
   */
  aliveT: number;
}

export interface SightingRecord extends SawMessage {
  at: number;
  t: number;
}

export type Numbered<K extends Kind> = EntryOf<K> & { at: number };

/** A history, indexed for the checks. */
export class RecordedRun {
  readonly users = new Map<string, string>();
  readonly participants = new Map<string, string[]>();
  /** By `device connection`. */
  readonly connections = new Map<string, ConnectionRecord>();
  readonly asks = new Map<number, AskRecord>();
  readonly sightings: SightingRecord[] = [];
  readonly stored: StoredMessage[];
  readonly storedById = new Map<string, StoredMessage>();
  readonly storedByConversation: Map<string, StoredMessage[]>;
  readonly endT: number;
  /** Nothing was sent or hurt from here on. */
  readonly quietT: number;

  constructor(readonly entries: readonly Entry[]) {
    entries.forEach((entry, at) => this.take(entry, at));
    this.stored = this.of('stored-message');
    for (const message of this.stored) this.storedById.set(message.id, message);
    this.storedByConversation = groupBy(this.stored, ({ c }) => c);
    this.endT = entries.at(-1)?.t ?? 0;
    this.quietT = this.of('quiet')[0]?.t ?? this.endT;
  }

  of<K extends Kind>(kind: K): Numbered<K>[] {
    return this.entries.flatMap((entry, at) => (entry.k === kind ? [{ ...(entry as EntryOf<K>), at }] : []));
  }

  connection(d: string, n: number): ConnectionRecord | undefined {
    return this.connections.get(`${d} ${n}`);
  }

  connectionsOf(user: string): ConnectionRecord[] {
    return [...this.connections.values()].filter((one) => one.user === user);
  }

  /** Asks with their position, oldest first. */
  asksFor(...events: string[]): AskRecord[] {
    return [...this.asks.values()].filter(({ event }) => events.includes(event));
  }

  private take(entry: Entry, at: number): void {
    switch (entry.k) {
      case 'device':
        return void this.users.set(entry.d, entry.user);
      case 'conversation':
        return void this.participants.set(entry.c, entry.users);
      case 'open':
        return this.open(entry, at);
      case 'close':
        return this.close(entry, at);
      case 'ask': {
        const ask = { ...entry, at, answer: null };
        this.asks.set(entry.a, ask);
        return void this.connection(entry.d, entry.n)?.asks.push(ask);
      }
      case 'answer': {
        const ask = this.asks.get(entry.a);
        return ask && this.answer(ask, entry, at);
      }
      case 'saw':
        return void this.sightings.push({ ...entry, at });
      default:
        return;
    }
  }

  private answer(ask: AskRecord, answer: EntryOf<'answer'>, at: number): void {
    ask.answer = { ...answer, at };
    const connection = this.connection(ask.d, ask.n);
    if (connection) connection.aliveT = Math.max(connection.aliveT, ask.t);
  }

  private open({ d, n, t }: EntryOf<'open'>, at: number): void {
    const user = this.users.get(d) ?? '';
    const never = { closedAt: Infinity, closedT: Infinity };
    this.connections.set(`${d} ${n}`, { d, n, user, openedAt: at, openedT: t, ...never, asks: [], aliveT: t });
  }

  private close({ d, n, t }: EntryOf<'close'>, at: number): void {
    const connection = this.connection(d, n);
    if (connection) Object.assign(connection, { closedAt: at, closedT: t });
  }
}
