import { Injectable, Optional } from '@nestjs/common';
import type { Message } from '../common/index.js';
import { ConversationActivity } from '../conversations/index.js';
import {
  ConnectionRegistry,
  isMeantFor,
  LiveGate,
  OpenLiveGate,
  PacketWriter,
  type Connection,
  type LiveBatch,
} from '../realtime/index.js';
import type { MessageChange } from './message-change.js';

/** A connection of a participant, and what it may be told now. */
interface Recipient {
  connection: Connection;
  joinedSeq: number;
  admitted: readonly MessageChange[];
}

/** Sends changes of messages to this node's connections of the participants. */
@Injectable()
export class MessageFanOut {
  private readonly gate: LiveGate;

  constructor(
    private readonly registry: ConnectionRegistry,
    private readonly writer: PacketWriter,
    private readonly activity: ConversationActivity,
    @Optional() gate?: LiveGate,
  ) {
    this.gate = gate ?? new OpenLiveGate();
  }

  /**
   * @param members the participants: user id, and the seq after which they may read
   * @param batch all changes of a range of revs, in order
   */
  deliver(members: [userId: string, joinedSeq: number][], batch: LiveBatch<MessageChange>): void {
    this.tellSent(batch);
    const recipients = this.recipientsOf(members, batch);
    if (recipients.length === 0) return;
    for (const change of batch.changes) {
      this.writer.write(connectionsFor(change, batch, recipients), change.event, change.payload);
    }
  }

  private tellSent(batch: LiveBatch<MessageChange>): void {
    for (const { event, payload } of batch.changes) {
      if (event !== 'new-message') continue;
      const { conversationId, senderId } = payload as Message;
      this.activity.tellSent(conversationId, senderId);
    }
  }

  private recipientsOf(members: [userId: string, joinedSeq: number][], batch: LiveBatch<MessageChange>): Recipient[] {
    const recipients: Recipient[] = [];
    for (const [userId, joinedSeq] of members) {
      for (const connection of this.registry.ofUser(userId)) {
        const admitted = this.gate.admit(connection, joinedSeq, batch);
        if (admitted.length > 0) recipients.push({ connection, joinedSeq, admitted });
      }
    }
    return recipients;
  }
}

function connectionsFor(change: MessageChange, batch: LiveBatch<MessageChange>, recipients: Recipient[]): Connection[] {
  const found: Connection[] = [];
  for (const { connection, joinedSeq, admitted } of recipients) {
    if (!isMeantFor(connection, joinedSeq, change)) continue;
    if (admitted === batch.changes || admitted.includes(change)) found.push(connection);
  }
  return found;
}
