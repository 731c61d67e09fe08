import { Global, Module, type DynamicModule, type Type } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AccessGate } from './access.gate.js';
import { AccessPolicy } from './access.policy.js';
import { ConversationActivity } from './conversation.activity.js';
import { ConversationAnnouncements } from './conversation.announcements.js';
import { ConversationChanges } from './conversation.changes.js';
import { ConversationController } from './conversation.controller.js';
import { ConversationDirectory } from './conversation.directory.js';
import { ConversationEntity } from './conversation.entity.js';
import { ConversationFounder } from './conversation.founder.js';
import { ConversationGateway } from './conversation.gateway.js';
import { ConversationRepository } from './conversation.repository.js';
import { ConversationService } from './conversation.service.js';
import { ConversationViewRepository } from './conversation-view.repository.js';
import { ConversationViews } from './conversation.views.js';
import { GroupConsentRepository } from './group-consent.repository.js';
import { HiddenMessageEntity } from './hidden-message.entity.js';
import { JoinService } from './join.service.js';
import { MembershipEvents } from './membership.events.js';
import { MembershipRepository } from './membership.repository.js';
import { NewConversationsEntity } from './new-conversations.entity.js';
import { NewConversationsRepository } from './new-conversations.repository.js';
import { ParticipantController } from './participant.controller.js';
import { ParticipantEntity } from './participant.entity.js';
import { ParticipantPageRepository } from './participant-page.repository.js';
import { ParticipantRepository } from './participant.repository.js';
import { ParticipantService } from './participant.service.js';
import { RoleAccessPolicy } from './role.access-policy.js';
import { UnreadController } from './unread.controller.js';

export interface ConversationsModuleOptions {
  /** Replaces the rules of roles; made by Nest, so it may inject what is global. */
  accessPolicy?: Type<AccessPolicy>;
}

/**
 * Conversations and who takes part. Imported once, at the root; global, since every feature stands
 * on it.
 *
 * `TypingSource` and `ReceiptVisibility` are not provided here: the feature that has them exports
 * them from a global module.
 */
@Global()
@Module({})
export class ConversationsModule {
  static forRoot({ accessPolicy = RoleAccessPolicy }: ConversationsModuleOptions = {}): DynamicModule {
    return {
      module: ConversationsModule,
      imports: [
        TypeOrmModule.forFeature([ConversationEntity, ParticipantEntity, HiddenMessageEntity, NewConversationsEntity]),
      ],
      controllers: [ConversationController, ParticipantController, UnreadController],
      providers: [
        { provide: AccessPolicy, useClass: accessPolicy },
        AccessGate,
        ConversationActivity,
        ConversationAnnouncements,
        ConversationChanges,
        ConversationDirectory,
        ConversationFounder,
        ConversationGateway,
        ConversationRepository,
        ConversationService,
        ConversationViewRepository,
        ConversationViews,
        GroupConsentRepository,
        JoinService,
        MembershipEvents,
        MembershipRepository,
        NewConversationsRepository,
        ParticipantPageRepository,
        ParticipantRepository,
        ParticipantService,
      ],
      exports: [
        AccessPolicy,
        AccessGate,
        ConversationActivity,
        ConversationDirectory,
        ConversationService,
        ConversationViews,
        MembershipEvents,
        ParticipantService,
      ],
    };
  }
}
