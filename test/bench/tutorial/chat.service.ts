import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { Message } from './message.entity.js';

@Injectable()
export class ChatService {
  constructor(@InjectRepository(Message) private readonly messages: Repository<Message>) {}

  async createMessage(conversationId: string, senderId: string, content: string): Promise<Message> {
    const message = this.messages.create({ conversationId, senderId, content });
    return this.messages.save(message);
  }
}
