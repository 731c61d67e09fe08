/** A socket in whose composer somebody types. */
export interface Typist {
  conversationId: string;
  userId: string;
  connectionId: string;
}

export interface TypingStart {
  /** False: the user was typing there already; nobody is to be told. */
  began: boolean;
  /** Unix milliseconds, the store's clock. */
  endsAtMs: number;
  /**
   * Orders what is told of one typist, whichever node tells it: microseconds of the store's clock.
   */
  atUs: number;
  /** All who type there now. */
  userIds: string[];
}

/** An end of typing; handed out to exactly one caller, who is to tell the others. */
export interface TypingEnd {
  conversationId: string;
  userId: string;
  /** As in {@link TypingStart}. */
  atUs: number;
  /** The users who still type there. */
  userIds: string[];
}

/**
 * The users who type, by conversation, over all nodes.
 *
 * Guarantees: typing ends `TYPING_TTL_MS` after its last start by the store's clock, whatever
 * became of its node. A user types while any of their sockets does. Each beginning and each end is
 * returned to exactly one caller on one node.
 *
 * It does not survive: an emptied store has forgotten who types, and hands out no end of it. Calls
 * fail with `ChatError UNAVAILABLE` while the store is away.
 */
export abstract class TypingStore {
  /** Begins, or makes it last `TYPING_TTL_MS` from now. */
  abstract start(typist: Typist): Promise<TypingStart>;
  /**
   * @param connectionId only what this socket types; null: whatever the user types there
   * @returns null when the user did not type there, or still does on another socket
   */
  abstract stop(conversationId: string, userId: string, connectionId: string | null): Promise<TypingEnd | null>;
  /** Finds what has ended by itself. Bounded: what is left over is found by the next sweep. */
  abstract sweep(): Promise<TypingEnd[]>;
  /** Ids of the users who type now. */
  abstract typingIn(conversationId: string): Promise<string[]>;
}
