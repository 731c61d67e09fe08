/**
 * Names a conversation in which an absent device misses something. Never a body: what it is,
 * Postgres says.
 */
export interface QueuePointer {
  conversationId: string;
  /** Of the first change missed, as far as the queue knows. */
  rev: number;
}

/** What a queue is told after a commit, for one recipient. */
export interface QueueEntry {
  userId: string;
  pointers: QueuePointer[];
}

/** What a user's devices are, as the store sees them. */
export interface Absence {
  /** Devices whose queue is kept: each has the pointers now. */
  absentDevices: number;
  /** Sockets of the user on all nodes; the memory backend does not know, and says 0. */
  connections: number;
}

/**
 * The offline queue: which conversations an absent device has to look at when it returns.
 *
 * An accelerator, never the truth. A queue is believed only when it is whole: begun when the device
 * left, seen through by {@link finish}, and held since then by one and the same store without a
 * hole. Anything else (expired, above its cap, emptied, evicted, restarted, failed over, foreign
 * data under its key) makes {@link take} answer null, and Postgres is asked instead.
 *
 * Backends: Redis (one script per operation, all keys of a user in one slot), and memory for one
 * process. Both pass `offlineQueueContract`. A failure is ChatError UNAVAILABLE; its outcome is
 * unknown.
 */
export abstract class OfflineQueueStore {
  /**
   * A device has left: pointers are collected for it from now on. Starts anew whatever was there.
   * @param token names this absence
   */
  abstract begin(userId: string, deviceId: string, token: string): Promise<void>;
  /**
   * Adds what was committed before {@link begin} took effect everywhere, and declares the queue
   * whole.
   * @returns false when this absence is over, or the queue was lost meanwhile
   */
  abstract finish(userId: string, deviceId: string, token: string, pointers: QueuePointer[]): Promise<boolean>;
  /**
   * Adds pointers to the queues of all absent devices of the users; a conversation that is there
   * stays as it is.
   */
  abstract add(entries: readonly QueueEntry[]): Promise<Absence[]>;
  /** Ends a device's absence. @returns what it has to look at; null: the queue cannot say */
  abstract take(userId: string, deviceId: string): Promise<QueuePointer[] | null>;
}
