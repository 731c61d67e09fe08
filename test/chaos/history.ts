/**
 * The history of a run: one entry per fact, in the order in which this one process saw it. The
 * checker sees nothing else.
 *
 * `t`: milliseconds since the run began. `d`: a device, `n`: its connections, counted from 1, `a`:
 * an ask (an event sent with an ack), `c`: a conversation.
 */
import { createWriteStream, type WriteStream } from 'node:fs';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { Presence } from '../../src/common/index.js';

/** A message as a device was shown it; `text: null`: deleted. */
export interface SawMessage {
  k: 'saw';
  d: string;
  n: number;
  /** `live`: pushed by the server; `answer`: in the ack of ask `a`. */
  via: 'live' | 'answer';
  a?: number;
  c: string;
  id: string;
  seq: number;
  rev: number;
  text: string | null;
  /** `emoji user`, in order. */
  reactions: string[];
  /** Whether it came as a new message, not as a change. */
  isNew: boolean;
}

export interface SawReaction {
  k: 'saw-reaction';
  d: string;
  n: number;
  c: string;
  id: string;
  rev: number;
  reaction: string;
  added: boolean;
}

export interface SawReceipt {
  k: 'receipt';
  d: string;
  n: number;
  via: 'live' | 'answer';
  a?: number;
  c: string;
  user: string;
  delivered?: number;
  read?: number;
}

export interface Ask {
  k: 'ask';
  d: string;
  n: number;
  a: number;
  event: string;
  c?: string;
  /** The clientMessageId of a send. */
  key?: string;
  /** The message it is about. */
  id?: string;
  text?: string;
  reaction?: string;
  seq?: number;
}

export interface Answer {
  k: 'answer';
  d: string;
  a: number;
  ok: boolean;
  code?: string;
  id?: string;
  seq?: number;
  rev?: number;
  duplicate?: boolean;
}

export interface StoredMessage {
  k: 'stored-message';
  c: string;
  id: string;
  seq: number;
  rev: number;
  sender: string;
  key: string | null;
  text: string | null;
  reactions: string[];
}

export interface NodeEvent {
  k: 'node';
  node: number;
  /** `exit` carries how; `complaint` is a line no healthy node prints. */
  what: 'up' | 'exit' | 'start-failed' | 'complaint';
  code?: number | null;
  signal?: string | null;
  /** The cause, as the run knows it. */
  because?: 'SIGKILL' | 'SIGTERM' | 'the end' | null;
  tookMs?: number;
  line?: string;
}

export type Fact =
  | { k: 'run'; seed: number; minutes: number; sendsPerSecond: number; presenceTtlMs: number }
  | { k: 'conversation'; c: string; users: string[] }
  | { k: 'device'; d: string; user: string; mode: string }
  | { k: 'open'; d: string; n: number }
  | { k: 'close'; d: string; n: number; why: string }
  | { k: 'refused'; d: string; code: string }
  /** The user put the device away, or took it out again. */
  | { k: 'leave' | 'return'; d: string }
  | Ask
  | Answer
  | SawMessage
  | SawReaction
  | SawReceipt
  | { k: 'presence'; d: string; a: number; user: string; status: Presence['status'] }
  | { k: 'presence-event'; d: string; n: number; user: string; status: Presence['status'] }
  | { k: 'fault-planned'; i: number; name: string }
  /** `hit`: how many things it touched; `startedAt`: when it was set about. */
  | { k: 'fault-begin'; i: number; name: string; target: string; hit: number; startedAt: number }
  | { k: 'fault-end'; i: number; name: string }
  | { k: 'fault-failed'; i: number; name: string; reason: string }
  | NodeEvent
  /**
   * From here on nothing is sent and nothing is hurt. `unsent`: what devices could not get rid of.
   */
  | { k: 'quiet'; unsent: number }
  /** Everybody had the time to catch up. */
  | { k: 'settled'; waitedMs: number }
  | StoredMessage
  | { k: 'stored-conversation'; c: string; lastSeq: number; lastRev: number }
  | { k: 'stored-cursor'; c: string; user: string; delivered: number; read: number };

export type Entry = Fact & { t: number };
export type Kind = Fact['k'];
export type EntryOf<K extends Kind> = Extract<Entry, { k: K }>;

/** Reads what {@link History} wrote. */
export async function readHistory(path: string): Promise<Entry[]> {
  const lines = (await readFile(path, 'utf8')).split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line) as Entry);
}

/** Takes notes, in memory for the checker and in a file, a line of JSON each, for people. */
export class History {
  readonly entries: Entry[] = [];
  private readonly file: WriteStream;
  private readonly beganAt = performance.now();

  constructor(path: string) {
    this.file = createWriteStream(path);
  }

  now(): number {
    return Math.round(performance.now() - this.beganAt);
  }

  note(fact: Fact): void {
    const entry: Entry = { t: this.now(), ...fact };
    this.entries.push(entry);
    this.file.write(`${JSON.stringify(entry)}\n`);
  }

  async close(): Promise<void> {
    this.file.end();
    await once(this.file, 'finish');
  }
}
