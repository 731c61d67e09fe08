import type { Vault } from './vault.js';

/** A `syncToken`, and what is known about it. */
export interface Position {
  token: string;
  /** A pass of `sync` that is not over: after it, another one leads to the present. */
  isMidPass: boolean;
  /** The server's time when it was handed out, ISO 8601; null: before everything. */
  at: string | null;
}

interface Candidate {
  position: Position;
  heardAtMs: number;
}

const name = 'position';

/**
 * Up to where everything has been handed over to the app; stored, so that the next connection's
 * `sync` goes on from there.
 *
 * A position of `sync` is exact. One of a heartbeat is Postgres' position, and what another node
 * committed just before it may reach this socket after it; so it is a candidate until `lagMs` later
 * (contract, guarantee 4: 5 s), and forgotten with its connection. While Postgres is away, a
 * heartbeat repeats the one before, which says nothing new.
 */
export class SyncPosition {
  current: Position | null = null;
  private candidates: Candidate[] = [];
  private isHeld = false;
  /** The token heard last on this connection. */
  private heard: string | null = null;

  constructor(
    private readonly vault: Vault,
    private readonly lagMs: number,
  ) {}

  async load(): Promise<void> {
    this.current = await this.vault.read<Position>(name);
  }

  /**
   * A new connection: what was missed on the one before, it will bring. @param token of its
   * `session-ready`
   */
  begin(token: string): void {
    this.isHeld = false;
    this.candidates = [];
    this.heard = token;
  }

  /** Something was not handed over: the position stays until the next connection. */
  hold(): void {
    this.isHeld = true;
    this.candidates = [];
  }

  advance(position: Position): void {
    if (this.isHeld) return;
    this.current = position;
    void this.vault.write(name, () => this.current);
  }

  /** A heartbeat's position, once everything heard before it has been handed over. */
  propose(position: Position, heardAtMs: number): void {
    if (this.isHeld) return;
    if (position.token !== this.heard) this.candidates.push({ position, heardAtMs });
    this.heard = position.token;
    const settled = this.candidates.filter((one) => heardAtMs - one.heardAtMs >= this.lagMs);
    if (settled.length === 0) return;
    this.candidates = this.candidates.slice(settled.length);
    this.advance(settled.at(-1)!.position);
  }

  forget(): void {
    this.current = null;
    this.candidates = [];
    void this.vault.remove(name);
  }
}
