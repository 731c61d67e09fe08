import { Injectable } from '@nestjs/common';
import { ConnectionRegistry, PacketWriter, type Connection } from '../realtime/index.js';
import type { MessageChange } from './message-change.js';

/** Sends changes of messages to this node's connections of the participants. */
@Injectable()
export class MessageFanOut {
  constructor(
    private readonly registry: ConnectionRegistry,
    private readonly writer: PacketWriter,
  ) {}

  /**
   * @param members the participants: user id, and the seq after which they may read
   * @param changes in order of rev
   */
  deliver(_conversationId: string, members: [userId: string, joinedSeq: number][], changes: MessageChange[]): void {
    const present = members.filter(([userId]) => this.registry.ofUser(userId).size > 0);
    if (present.length === 0) return;
    for (const change of changes) this.writer.write(this.recipients(present, change), change.event, change.payload);
  }

  private recipients(members: [userId: string, joinedSeq: number][], change: MessageChange): Connection[] {
    const recipients: Connection[] = [];
    for (const [userId, joinedSeq] of members) {
      if (change.seq <= joinedSeq || change.hiddenFrom?.includes(userId)) continue;
      for (const connection of this.registry.ofUser(userId)) {
        if (connection.id !== change.exceptConnectionId) recipients.push(connection);
      }
    }
    return recipients;
  }
}
