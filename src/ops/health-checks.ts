import { Injectable } from '@nestjs/common';
import { DrainState } from '../realtime/index.js';

/**
 * Resolves while the dependency works; rejects, or takes longer than {@link probeTimeoutMs}, when
 * it does not.
 */
export type HealthProbe = () => Promise<unknown>;

type DependencyStatus = 'up' | 'down';

/** The answer of `/health/ready`. It contains no error texts, because the route needs no token. */
export interface Readiness {
  status: 'ready' | 'unavailable';
  draining: boolean;
  dependencies: Record<string, { status: DependencyStatus }>;
}

/** Milliseconds a probe may take. */
export const probeTimeoutMs = 1_000;

/**
 * Whether this process should get new connections.
 *
 * Ready: not draining, and every dependency works. That only steers new connections: sockets that
 * are open stay, and are served as far as the missing dependency allows. Extensions {@link add}
 * dependencies of their own.
 */
@Injectable()
export class HealthChecks {
  private readonly probes = new Map<string, HealthProbe>();

  constructor(private readonly drain: DrainState) {}

  /** @param name as the answer shows it; a second probe of the same name replaces the first */
  add(name: string, probe: HealthProbe): void {
    this.probes.set(name, probe);
  }

  async readiness(): Promise<Readiness> {
    const found = await Promise.all(
      [...this.probes].map(async ([name, probe]) => [name, await statusOf(probe)] as const),
    );
    const draining = this.drain.isDraining;
    const isReady = !draining && found.every(([, status]) => status === 'up');
    return {
      status: isReady ? 'ready' : 'unavailable',
      draining,
      dependencies: Object.fromEntries(found.map(([name, status]) => [name, { status }])),
    };
  }
}

async function statusOf(probe: HealthProbe): Promise<DependencyStatus> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('probe timed out')), probeTimeoutMs);
  });
  try {
    await Promise.race([probe(), late]);
    return 'up';
  } catch {
    return 'down';
  } finally {
    clearTimeout(timer);
  }
}
