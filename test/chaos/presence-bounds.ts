/** The bounds of guarantee 8, and what a busy machine may take beyond them. */
export const slackMs = 3_000;
/** How long a clean disconnect waits for a reconnect: the default of `PRESENCE_GRACE_MS`. */
export const graceMs = 3_000;
const sweepMs = 2_000;

/**
 * After this the users of a dead node are offline, and whatever a fault left behind is right again.
 */
export function presenceBoundMs(presenceTtlMs: number): number {
  return presenceTtlMs + sweepMs + slackMs;
}
