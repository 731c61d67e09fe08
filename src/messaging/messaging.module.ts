import { Module, type DynamicModule, type Provider, type Type } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ConversationsModule } from '../conversations/index.js';
import { storeProvider } from '../redis/index.js';
import { mediaMessageTypes, TextMessageType } from './built-in.message-types.js';
import { DeletedConversations } from './deleted-conversations.js';
import { DeletedConversationsRepository } from './deleted-conversations.repository.js';
import { DeletionController } from './deletion.controller.js';
import { DeletionForMe } from './deletion-for-me.js';
import { DeletionGateway } from './deletion.gateway.js';
import { DeletionRepository } from './deletion.repository.js';
import { DeletionService } from './deletion.service.js';
import { EditController } from './edit.controller.js';
import { EditGateway } from './edit.gateway.js';
import { EditRepository } from './edit.repository.js';
import { EditService } from './edit.service.js';
import { ExpiryRepository } from './expiry.repository.js';
import { ExpirySweep } from './expiry.sweep.js';
import { HistoryService } from './history.service.js';
import { MessageAppendRepository } from './message-append.repository.js';
import { MessageBudget } from './message.budget.js';
import { MemoryMessageBudgetStore } from './memory.message-budget.store.js';
import { MessageBudgetStore } from './message-budget.store.js';
import { RedisMessageBudgetStore } from './redis.message-budget.store.js';
import { MessageChangeRepository } from './message-change.repository.js';
import { MessageChangeWriterRepository } from './message-change-writer.repository.js';
import { MessageChangeWriter } from './message-change-writer.js';
import { MessageCommitter } from './message.committer.js';
import { ConversationMessagesController, MessageController } from './message.controller.js';
import { MessageEntity } from './message.entity.js';
import { MessageDrafter } from './message.drafter.js';
import { MessageFanOut } from './message.fan-out.js';
import { MessageFeed } from './message.feed.js';
import { MessageGateway } from './message.gateway.js';
import { MessageInterceptor, MessageInterceptors } from './message.interceptor.js';
import { MessageMetrics } from './message.metrics.js';
import { MessagePublisher } from './message.publisher.js';
import { MessageRepository } from './message.repository.js';
import { MessageService } from './message.service.js';
import { MessageType, MessageTypeRegistry } from './message.type.js';
import { ReactionController } from './reaction.controller.js';
import { ReactionGateway } from './reaction.gateway.js';
import { ReactionRepository } from './reaction.repository.js';
import { ReactionService } from './reaction.service.js';
import { RevisionRepository } from './revision.repository.js';
import { RevisionService } from './revision.service.js';
import { SearchController } from './search.controller.js';
import { SearchIndexKeeper } from './search-index.keeper.js';
import { EverywhereSearch } from './everywhere.search.js';
import { SearchWalkRepository } from './search-walk.repository.js';
import { SearchRepository } from './search.repository.js';
import { SearchService } from './search.service.js';
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
      controllers: [
        ConversationMessagesController,
        MessageController,
        EditController,
        DeletionController,
        ReactionController,
        SearchController,
      ],
      providers: [
        DeletedConversations,
        DeletedConversationsRepository,
        DeletionForMe,
        DeletionGateway,
        DeletionRepository,
        DeletionService,
        EditGateway,
        EditRepository,
        EditService,
        ExpiryRepository,
        ExpirySweep,
        HistoryService,
        MessageAppendRepository,
        MessageBudget,
        storeProvider(MessageBudgetStore, { redis: RedisMessageBudgetStore, memory: MemoryMessageBudgetStore }),
        MessageChangeRepository,
        MessageChangeWriter,
        MessageChangeWriterRepository,
        MessageCommitter,
        MessageDrafter,
        MessageFanOut,
        MessageFeed,
        MessageGateway,
        MessageInterceptors,
        MessageMetrics,
        MessagePublisher,
        MessageRepository,
        MessageService,
        MessageTypeRegistry,
        ReactionGateway,
        ReactionRepository,
        ReactionService,
        RevisionRepository,
        RevisionService,
        SearchIndexKeeper,
        SearchRepository,
        SearchWalkRepository,
        EverywhereSearch,
        SearchService,
        TextMessageType,
        registerExtensions(options),
      ],
      exports: [MessageService, HistoryService, MessageTypeRegistry, MessageInterceptors],
    };
  }
}
