/**
 * What tells this deployment from others on the same Postgres or Redis server (PROTOCOL 10.10).
 *
 * The same on every node, and after restarts and failovers.
 */
export abstract class DeploymentIdentity {
  /**
   * Reads it; asked once, at start.
   *
   * @returns one line of text, not secret
   * @throws when Postgres is away: without its identity a node must not touch a Redis that others
   *   may use
   */
  abstract read(): Promise<string>;
}
