/** Clients of the SDK for tests: each remembers what its handlers were handed. */
import { ParleyClient, type ClientOptions, type Message, type ParleyEvents } from '../../src/client/index.js';
import { patient } from '../setup/patience.js';
import { tokenFor } from './client.js';

type Name = keyof ParleyEvents;

export interface Handed {
  event: Name;
  payload: any;
}

const names: Name[] = [
  'new-message',
  'message-edited',
  'message-deleted',
  'reaction-changed',
  'message-delivered',
  'messages-read',
  'conversation-created',
  'conversation-updated',
  'conversation-removed',
  'participant-added',
  'participant-removed',
  'user-online',
  'user-offline',
  'user-typing',
  'message-queued',
  'message-sent',
  'message-failed',
  'synced',
  'state',
  'error',
];

const opened: RecordedClient[] = [];

export class RecordedClient extends ParleyClient {
  readonly handed: Handed[] = [];

  constructor(options: ClientOptions) {
    super({ reconnectDelayMs: 50, reconnectDelayMaxMs: 200, ...options });
    for (const event of names) this.on(event, (payload) => void this.handed.push({ event, payload }));
    opened.push(this);
  }

  of<N extends Name>(event: N): ParleyEvents[N][] {
    return this.handed.filter((one) => one.event === event).map(({ payload }) => payload as ParleyEvents[N]);
  }

  /** Texts of new messages, in the order in which they were handed over. */
  texts(): unknown[] {
    return this.of('new-message').map(textOf);
  }

  async until(look: () => boolean, what: string, quietMs = 8_000): Promise<void> {
    const timeoutMs = patient(quietMs);
    const deadline = Date.now() + timeoutMs;
    while (!look()) {
      const is = `${this.state}; ${JSON.stringify(this.handed)}`;
      if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}; is ${is}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  untilState(state: string): Promise<void> {
    return this.until(() => this.state === state, `state ${state}`);
  }

  untilHanded(event: Name, count = 1): Promise<void> {
    return this.until(() => this.of(event).length >= count, `${count} ${event}`);
  }
}

export function textOf({ content }: Message): unknown {
  return content?.['text'];
}

/** A client of a user; not connected yet. */
export function sdk(url: string, userId: string, options: Partial<ClientOptions> = {}): RecordedClient {
  return new RecordedClient({ url, token: () => tokenFor(userId), ...options });
}

/** Closes every client made here. */
export async function closeAll(): Promise<void> {
  await Promise.all(opened.splice(0).map((client) => client.close()));
}
