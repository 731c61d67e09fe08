/**
 * Distinguishes this deployment from others on the same Postgres or Redis server (PROTOCOL 10.10).
 *
 * It is the same on every node, and after restarts and failovers.
 */
export abstract class DeploymentIdentity {
  /**
   * Reads the identity, once, at start.
   *
   * @returns one line of text, not secret
   * @throws when Postgres is unavailable: without its identity a node must not touch a Redis that
   *   others may use
   */
  abstract read(): Promise<string>;
}
