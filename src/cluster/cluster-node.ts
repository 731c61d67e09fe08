import cluster from 'node:cluster';
import { randomBytes } from 'node:crypto';

/** Environment variable with the number of the node, from 1, set by `npm run cluster`. */
export const nodeNumberVariable = 'PARLEY_CLUSTER_NODE';

/** Environment variable, set when the launcher has started the database. */
export const ownDatabaseVariable = 'PARLEY_CLUSTER_DATABASE';

/** One node of a cluster on one machine. Its number stays when it is started again. */
export interface ClusterNode {
  number: number;
  /** Begins with the number of its node, so that any node knows which node holds a session. */
  sessionId: () => string;
  /** The launcher has started the database: `DATABASE_URL` is not one that others can reach. */
  hasOwnDatabase: boolean;
}

/** @returns null in a process that is not a node of such a cluster */
export function clusterNode(env = process.env): ClusterNode | null {
  const number = Number(env[nodeNumberVariable]);
  if (!cluster.isWorker || !Number.isInteger(number) || number < 1) return null;
  const sessionId = () => `${number}.${randomBytes(15).toString('base64url')}`;
  return { number, sessionId, hasOwnDatabase: env[ownDatabaseVariable] === 'true' };
}

/**
 * The node that made the Engine.IO session a request speaks of.
 *
 * @param url path and query of the request
 * @returns null: no session, or none that a node of a cluster made
 */
export function ownerOf(url: string): number | null {
  const [path = '', query = ''] = url.split('?', 2);
  if (!path.startsWith('/socket.io/')) return null;
  const [, number] = /^(\d{1,4})\./.exec(new URLSearchParams(query).get('sid') ?? '') ?? [];
  return number === undefined ? null : Number(number);
}

/**
 * Where one node can be reached beside the port of all, on the loopback interface only: siblings
 * and Prometheus use it.
 */
export function ownPort(port: number, number: number): number {
  return port + number;
}
