/**
 * Takes a payload of a topic from another node. Must not throw; may not rely on the order of
 * different topics.
 */
export type BusHandler = (payload: unknown) => void;

/**
 * Carries events from this node to all others: the fan-out between processes.
 *
 * Guarantees: what one node publishes arrives at each other node at most once and in the order
 * published; never at the publisher itself. `publish` resolves when the transport has accepted the
 * event. Otherwise it rejects with `ChatError UNAVAILABLE` within `REDIS_TIMEOUT_MS`. Events
 * published while a node is cut off never reach that node. It gets `onReconnected` instead, and
 * must catch up from Postgres.
 *
 * Backends: Redis publish/subscribe, and memory for a single process.
 */
export abstract class NodeBus {
  /** Random, new at every start of the process. */
  abstract readonly nodeId: string;
  /** False for the memory backend: there are no other nodes. */
  abstract readonly isShared: boolean;
  /**
   * Whether a message published now would come through, both ways. Always true for the memory
   * backend.
   */
  abstract readonly isHealthy: boolean;
  /** @param payload anything JSON can carry */
  abstract publish(topic: string, payload: unknown): Promise<void>;
  /**
   * Resolves when what this node published before lies in the sockets of all nodes the transport
   * reaches: whatever reaches another node from now on, it handles later. Fails as {@link publish}
   * does.
   */
  abstract flush(): Promise<void>;
  /** One handler a topic; registered before the application listens. */
  abstract subscribe(topic: string, handler: BusHandler): void;
  /**
   * Called when the subscription works again after it did not.
   * @param listener gets how long ago, in milliseconds, the subscription was last known to work
   */
  abstract onReconnected(listener: (awayMs: number) => void): void;
}
