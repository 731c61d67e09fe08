/**
 * Spreads ids over a fixed number of shards, the same on every node: FNV-1a, 32 bits.
 *
 * A shard's keys share a hash tag, so that one script may change many of them at once, on a Cluster
 * too.
 *
 * @returns 0 to `shards - 1`
 */
export function shardOf(id: string, shards: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  return (hash >>> 0) % shards;
}
