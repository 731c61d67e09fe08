import { Module, type DynamicModule, type Provider, type Type } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ConversationsModule } from '../conversations/index.js';
import { mediaMessageTypes, TextMessageType } from './built-in.message-types.js';
import { HistoryService } from './history.service.js';
import { MessageAppendRepository } from './message-append.repository.js';
import { MessageBudget } from './message.budget.js';
import { MessageChangeRepository } from './message-change.repository.js';
import { MessageCommitter } from './message.committer.js';
import { ConversationMessagesController } from './message.controller.js';
import { MessageEntity } from './message.entity.js';
import { MessageFanOut } from './message.fan-out.js';
import { MessageFeed } from './message.feed.js';
import { MessageGateway } from './message.gateway.js';
import { MessageInterceptor, MessageInterceptors } from './message.interceptor.js';
import { MessageMetrics } from './message.metrics.js';
import { MessagePublisher } from './message.publisher.js';
import { MessageRepository } from './message.repository.js';
import { MessageService } from './message.service.js';
import { MessageType, MessageTypeRegistry } from './message.type.js';
import { ReceiptsModule } from './receipts.module.js';

export interface MessagingOptions {
  /** Custom message types; made by Nest, so they may inject what is global. */
  messageTypes?: Type<MessageType>[];
  /** Interceptors, in the order in which they are asked; made by Nest. */
  interceptors?: Type<MessageInterceptor>[];
}

const ready = Symbol('parley:messaging-extensions');

function registerExtensions({ messageTypes = [], interceptors = [] }: MessagingOptions): Provider {
  return {
    provide: ready,
    inject: [ModuleRef, MessageTypeRegistry, MessageInterceptors, TextMessageType],
    useFactory: async (
      moduleRef: ModuleRef,
      types: MessageTypeRegistry,
      chain: MessageInterceptors,
      text: TextMessageType,
    ) => {
      for (const type of [text, ...mediaMessageTypes]) types.register(type);
      for (const type of messageTypes) types.register(await moduleRef.create(type));
      for (const interceptor of interceptors) chain.register(await moduleRef.create(interceptor));
      return true;
    },
  };
}

/** Sending and reading messages. */
@Module({})
export class MessagingModule {
  static forRoot(options: MessagingOptions = {}): DynamicModule {
    return {
      module: MessagingModule,
      imports: [ConversationsModule, ReceiptsModule, TypeOrmModule.forFeature([MessageEntity])],
      controllers: [ConversationMessagesController],
      providers: [
        HistoryService,
        MessageAppendRepository,
        MessageBudget,
        MessageChangeRepository,
        MessageCommitter,
        MessageFanOut,
        MessageFeed,
        MessageGateway,
        MessageInterceptors,
        MessageMetrics,
        MessagePublisher,
        MessageRepository,
        MessageService,
        MessageTypeRegistry,
        TextMessageType,
        registerExtensions(options),
      ],
      exports: [MessageService, HistoryService, MessageTypeRegistry, MessageInterceptors],
    };
  }
}
