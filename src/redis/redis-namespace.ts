import { createHash } from 'node:crypto';

export interface RedisNamespaceParts {
  /** `REDIS_PREFIX`; it has no braces. */
  prefix: string;
  /** See `DeploymentIdentity`. */
  deployment: string;
  /** The number of the Redis database: publish/subscribe ignores it. */
  database: number;
}

const digits = 16;

/**
 * The prefix of every key and channel of a deployment. Deployments that differ in any part share no
 * prefix.
 */
export function redisNamespace({ prefix, deployment, database }: RedisNamespaceParts): string {
  const identity = createHash('sha256').update(`${database}\n${deployment}`).digest('hex').slice(0, digits);
  return `${prefix}:${identity}`;
}
