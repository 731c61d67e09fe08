import { setTimeout as pause } from 'node:timers/promises';
import type { Message, Presence } from '../../src/common/index.js';
import { DeviceLink, type Reply } from './device.link.js';
import type { History } from './history.js';
import { Outbox } from './outbox.js';
import type { Random } from './random.js';
import { View } from './view.js';
import {
  sawDeletion,
  sawMessage,
  sawReaction,
  sawReceipt,
  type DeletedPayload,
  type ReactionPayload,
  type ReceiptPayload,
  type Sighting,
} from './wire-notes.js';

/**
 * How an app keeps up. `sync`: asks with its stored token after each reconnect; `auto`: leaves it
 * to the server; `manual`: acknowledges the messages that have arrived.
 */
export type DeviceMode = 'sync' | 'auto' | 'manual';

export interface DevicePlan {
  d: string;
  user: string;
  mode: DeviceMode;
  url: string;
  token: string;
  conversations: readonly string[];
  /** Users whose presence it may see. */
  contacts: readonly string[];
}

const tickMs = 500;
const ticksPerHeartbeat = 6;
const ticksPerPresence = 8;
const ticksPerRead = 3;
const retryMs = 500;
const maxOwn = 50;

/**
 * One installation of the app: what it shows and what it has yet to send survive its connections.
 */
export class Device {
  readonly views = new Map<string, View>();
  readonly outbox: Outbox;
  private readonly link: DeviceLink;
  private syncToken: string | null = null;
  private readonly pushedRevs = new Map<string, number>();
  private readonly marks = new Map<string, string>();
  private own: { c: string; id: string }[] = [];
  private timer: NodeJS.Timeout | undefined;
  private ticks: number;
  isAway = false;

  constructor(
    readonly plan: DevicePlan,
    private readonly history: History,
    private readonly random: Random,
  ) {
    const { d, user, mode, url, token } = plan;
    history.note({ k: 'device', d, user, mode });
    for (const c of plan.conversations) this.views.set(c, new View());
    this.link = new DeviceLink({ d, url, token, deviceId: d, ackMode: mode === 'manual' ? 'manual' : 'auto' }, history);
    this.outbox = new Outbox(this.link, (message) => this.remember(message));
    this.ticks = random.between(0, 100);
    this.link.onOpen = () => void this.begin();
    this.link.onEvent = (event, payload) => this.hear(event, payload);
    this.link.onAnswer = (event, a, reply) => this.read(event, a, reply);
  }

  get isOpen(): boolean {
    return this.link.isOpen;
  }

  start(): void {
    this.timer = setInterval(() => this.tick(), tickMs);
    this.link.connect();
  }

  stop(): void {
    clearInterval(this.timer);
    this.link.disconnect();
  }

  /** The user puts it away. */
  leave(): void {
    this.isAway = true;
    this.link.disconnect();
    this.history.note({ k: 'leave', d: this.plan.d });
  }

  return(): void {
    this.isAway = false;
    this.history.note({ k: 'return', d: this.plan.d });
    this.link.connect();
  }

  /**
   * Changes one of the device's own newest messages, or reacts to one it shows; nothing where there
   * is none.
   */
  change(verb: 'edit' | 'delete' | 'react'): void {
    if (verb === 'react') return this.react();
    if (this.own.length === 0) return;
    const { c, id } = this.random.pick(this.own);
    if (verb === 'delete') void this.link.ask('delete-message', { messageId: id }, { c, id });
    else void this.edit(c, id);
  }

  /** Writes the presence of its contacts, as it sees them, into the history. */
  async lookAround(count = 6): Promise<void> {
    const userIds = this.random.shuffle(this.plan.contacts).slice(0, count);
    if (userIds.length > 0) await this.link.ask('get-presence', { userIds });
  }

  private async edit(c: string, id: string): Promise<void> {
    const text = `edited ${id.slice(-6)} ${this.random.between(1, 1e9)}`;
    await this.link.ask('edit-message', { messageId: id, content: { text } }, { c, id, text });
  }

  private react(): void {
    const c = this.random.pick(this.plan.conversations);
    const shown = [...this.views.get(c)!.messages.values()].slice(-20).filter(({ text }) => text !== null);
    if (shown.length === 0) return;
    const { id } = this.random.pick(shown);
    const emoji = this.random.pick(['👍', '🎉', '❤️']);
    const event = this.random.next() < 0.7 ? 'add-reaction' : 'remove-reaction';
    void this.link.ask(event, { messageId: id, emoji }, { c, id, reaction: `${emoji} ${this.plan.user}` });
  }

  private remember({ conversationId: c, id }: Message): void {
    this.own = [...this.own, { c, id }].slice(-maxOwn);
  }

  /** After each connect: catch up, then send what waits. */
  private async begin(): Promise<void> {
    this.marks.clear();
    for (const c of this.plan.conversations) void this.link.ask('join-conversation', { conversationId: c }, { c });
    if (this.plan.mode === 'sync') await this.sync();
    this.outbox.flush();
  }

  private async sync(): Promise<void> {
    const { n } = this.link;
    let since = this.syncToken;
    for (let hasMore = true; hasMore;) {
      const reply: Reply = await this.link.ask('sync', { since });
      if (!reply || n !== this.link.n) return;
      if (reply.ok) {
        since = reply.data['next'] as string;
        hasMore = reply.data['hasMore'] as boolean;
      } else await pause(reply.error.retryAfterMs ?? retryMs);
    }
    this.syncToken = since;
  }

  private tick(): void {
    if (!this.isOpen) return;
    this.ticks += 1;
    this.outbox.flush();
    if (this.plan.mode === 'manual') this.mark('mark-delivered');
    if (this.ticks % ticksPerRead === 0) this.mark('mark-read');
    if (this.ticks % ticksPerHeartbeat === 0) void this.link.ask('heartbeat', {});
    if (this.ticks % ticksPerPresence === 0) void this.lookAround();
  }

  private mark(event: 'mark-delivered' | 'mark-read'): void {
    for (const [c, { upTo }] of this.views) {
      const rev = this.pushedRevs.get(c) ?? 0;
      const payload = event === 'mark-read' || rev === 0 ? { seq: upTo } : { seq: upTo, rev };
      const mark = JSON.stringify(payload);
      if (upTo === 0 || this.marks.get(`${event} ${c}`) === mark) continue;
      this.marks.set(`${event} ${c}`, mark);
      void this.link.ask(event, { conversationId: c, ...payload }, { c, seq: upTo }).then((reply) => {
        if (!reply?.ok) this.marks.delete(`${event} ${c}`);
      });
    }
  }

  private hear(event: string, payload: unknown): void {
    const sighting: Sighting = { d: this.plan.d, n: this.link.n, via: 'live' };
    switch (event) {
      case 'new-message':
      case 'message-edited':
        return this.show(sighting, payload as Message, event === 'new-message');
      case 'message-deleted':
        return this.bury(sighting, payload as DeletedPayload);
      case 'reaction-changed':
        return this.showReaction(sighting, payload as ReactionPayload);
      case 'message-delivered':
      case 'messages-read':
        return this.history.note(sawReceipt(sighting, payload as ReceiptPayload));
      case 'user-online':
      case 'user-offline': {
        const { userId: user, status } = payload as Presence;
        return this.history.note({ k: 'presence-event', d: this.plan.d, n: this.link.n, user, status });
      }
    }
  }

  /** Shows what an answer says. */
  private read(event: string, a: number, reply: NonNullable<Reply>): void {
    if (!reply.ok) return;
    const sighting: Sighting = { d: this.plan.d, n: this.link.n, via: 'answer', a };
    const { data } = reply;
    if (data['message']) this.show(sighting, data['message'] as Message, event === 'send-message');
    if (event === 'sync') {
      for (const message of data['messages'] as Message[]) this.show(sighting, message, true);
      for (const receipt of data['receipts'] as ReceiptPayload[]) this.history.note(sawReceipt(sighting, receipt));
    }
    if (event === 'mark-read' || event === 'mark-delivered') {
      this.history.note(sawReceipt(sighting, { ...(data as unknown as ReceiptPayload), userId: this.plan.user }));
    }
    if (event === 'delete-message') this.buryOwn(sighting, data['messageId'] as string);
    if (event === 'join-conversation') this.readParticipants(sighting, data);
    if (event === 'get-presence') this.readPresence(a, data['presences'] as Presence[]);
  }

  private readParticipants(sighting: Sighting, data: Record<string, unknown>): void {
    const { id, participants } = data['conversation'] as { id: string; participants: Omit<ReceiptPayload, 'c'>[] };
    for (const one of participants) this.history.note(sawReceipt(sighting, { ...one, conversationId: id }));
  }

  private readPresence(a: number, presences: Presence[]): void {
    for (const { userId: user, status } of presences) {
      this.history.note({ k: 'presence', d: this.plan.d, a, user, status });
    }
  }

  private show(sighting: Sighting, message: Message, isNew: boolean): void {
    const saw = sawMessage(sighting, message, isNew);
    this.history.note(saw);
    if (sighting.via === 'live') this.push(saw.c, saw.rev);
    this.views.get(saw.c)?.see(saw);
  }

  private bury(sighting: Sighting, payload: DeletedPayload): void {
    const saw = sawDeletion(sighting, payload);
    this.history.note(saw);
    this.push(saw.c, saw.rev);
    this.views.get(saw.c)?.see(saw);
  }

  /** The ack names no rev; the deletion's is above what is shown, and nothing follows it. */
  private buryOwn(sighting: Sighting, messageId: string): void {
    for (const [conversationId, view] of this.views) {
      const shown = view.messages.get(messageId);
      if (!shown || shown.text === null) continue;
      const saw = sawDeletion(sighting, { conversationId, messageId, seq: shown.seq, rev: shown.rev + 1 });
      this.history.note(saw);
      view.see(saw);
    }
  }

  private showReaction(sighting: Sighting, payload: ReactionPayload): void {
    const saw = sawReaction(sighting, payload);
    this.history.note(saw);
    this.push(saw.c, saw.rev);
    this.views.get(saw.c)?.seeReaction(saw);
  }

  private push(c: string, rev: number): void {
    this.pushedRevs.set(c, Math.max(rev, this.pushedRevs.get(c) ?? 0));
  }
}
