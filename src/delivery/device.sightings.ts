import { Injectable } from '@nestjs/common';
import { setTimeout as pause } from 'node:timers/promises';
import { newRandomId } from '../common/index.js';
import { NodeBus } from '../redis/index.js';
import { ConnectionRegistry } from '../realtime/index.js';

const questionTopic = 'device-question';
const answerTopic = 'device-answer';
// A message over the bus and back takes a few milliseconds; a node that is slower than this is not
// heard.
const patienceMs = 150;

interface Question {
  id: string;
  userId: string;
}

interface Answer {
  id: string;
  deviceIds: string[];
}

/**
 * Which devices of a user have a socket now, by asking all nodes: rarely wanted, so nothing is kept
 * for it.
 *
 * While the bus is away only this node answers.
 */
@Injectable()
export class DeviceSightings {
  private readonly open = new Map<string, Set<string>>();

  constructor(
    private readonly bus: NodeBus,
    private readonly registry: ConnectionRegistry,
  ) {
    this.bus.subscribe(questionTopic, (question) => this.answer(question as Question));
    this.bus.subscribe(answerTopic, (answer) => this.hear(answer as Answer));
  }

  async connectedDevices(userId: string): Promise<ReadonlySet<string>> {
    const seen = new Set(this.here(userId));
    if (!this.bus.isShared || !this.bus.isHealthy) return seen;
    const id = newRandomId();
    this.open.set(id, seen);
    try {
      await this.bus.publish(questionTopic, { id, userId } satisfies Question);
      await pause(patienceMs);
    } catch {
      // What this node knows is the answer then.
    } finally {
      this.open.delete(id);
    }
    return seen;
  }

  private answer({ id, userId }: Question): void {
    const deviceIds = this.here(userId);
    if (deviceIds.length === 0) return;
    this.bus.publish(answerTopic, { id, deviceIds } satisfies Answer).catch(() => undefined);
  }

  private hear({ id, deviceIds }: Answer): void {
    for (const deviceId of deviceIds) this.open.get(id)?.add(deviceId);
  }

  private here(userId: string): string[] {
    return [...this.registry.ofUser(userId)].map(({ deviceId }) => deviceId);
  }
}
