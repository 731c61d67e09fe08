import type { Principal } from './principal.js';
import type { Revocation } from './revocation.repository.js';

/** A user who removes devices for years does not fill the memory of every node. */
export const maxDeviceMarks = 100;

interface SessionsMark {
  beforeMs: number;
  keptToken: string | null;
}

/**
 * The marks of one user: up to when tokens are revoked. Marks only rise, in whatever order they
 * come.
 *
 * The newest 100 removals of devices are kept apart. Earlier ones count for every device of
 * the user: whoever has removed 100 devices since then has no use for tokens that old.
 */
export class UserMarks {
  private tokensMs: number | null = null;
  private sessions: SessionsMark | null = null;
  private devices: Map<string, number> | null = null;
  private anyDeviceMs: number | null = null;

  /** @returns whether a mark rose */
  raise(revocation: Revocation): boolean {
    switch (revocation.kind) {
      case 'tokens':
        return this.raiseTokens(revocation.beforeMs);
      case 'sessions':
        return this.raiseSessions(revocation);
      case 'device':
        return this.raiseDevice(revocation.deviceId, revocation.beforeMs);
    }
  }

  /** @param deviceId null: no device speaks (REST), so removals of devices do not count */
  cover({ issuedAtMs, tokenHash }: Principal, deviceId: string | null): boolean {
    if (this.tokensMs !== null && !((issuedAtMs ?? -Infinity) > this.tokensMs)) return true;
    if (this.sessions && isOfSecond(issuedAtMs, this.sessions.beforeMs) && tokenHash !== this.sessions.keptToken) {
      return true;
    }
    if (deviceId === null) return false;
    const deviceMs = this.devices?.get(deviceId) ?? this.anyDeviceMs;
    return deviceMs !== null && isOfSecond(issuedAtMs, deviceMs);
  }

  private raiseTokens(beforeMs: number): boolean {
    if (this.tokensMs !== null && this.tokensMs >= beforeMs) return false;
    this.tokensMs = beforeMs;
    return true;
  }

  private raiseSessions({ beforeMs, keptToken }: SessionsMark): boolean {
    if (this.sessions && this.sessions.beforeMs >= beforeMs) return false;
    this.sessions = { beforeMs, keptToken };
    return true;
  }

  private raiseDevice(deviceId: string, beforeMs: number): boolean {
    this.devices ??= new Map();
    if ((this.devices.get(deviceId) ?? this.anyDeviceMs ?? -Infinity) >= beforeMs) return false;
    this.devices.set(deviceId, beforeMs);
    if (this.devices.size > maxDeviceMarks) this.joinOldest(this.devices);
    return true;
  }

  private joinOldest(devices: Map<string, number>): void {
    let [oldestId, oldestMs] = ['', Infinity];
    for (const [deviceId, beforeMs] of devices) {
      if (beforeMs < oldestMs) [oldestId, oldestMs] = [deviceId, beforeMs];
    }
    devices.delete(oldestId);
    this.anyDeviceMs = Math.max(this.anyDeviceMs ?? -Infinity, oldestMs);
  }
}

/**
 * Whether a token was issued in the second of a mark or before it, or does not say when: `iat`
 * counts whole seconds as a rule.
 */
function isOfSecond(issuedAtMs: number | null, beforeMs: number): boolean {
  return issuedAtMs === null || !(Math.floor(issuedAtMs / 1_000) > Math.floor(beforeMs / 1_000));
}
