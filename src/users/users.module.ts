import { Global, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { BlockController } from './block.controller.js';
import { BlockEntity } from './block.entity.js';
import { BlockRepository } from './block.repository.js';
import { BlockService } from './block.service.js';
import { ContactController } from './contact.controller.js';
import { ContactEntity } from './contact.entity.js';
import { ContactRepository } from './contact.repository.js';
import { ContactService } from './contact.service.js';
import { FirstSight } from './first-sight.js';
import { LastSeen } from './last-seen.js';
import { LastSeenRepository } from './last-seen.repository.js';
import { MeController } from './me.controller.js';
import { ProfileService } from './profile.service.js';
import { UserDirectory } from './user-directory.js';
import { UserEntity } from './user.entity.js';
import { UserListPager } from './user-list.pager.js';
import { UserRepository } from './user.repository.js';
import { UserService } from './user.service.js';
import { UserVisibility } from './user-visibility.js';
import { UsersController } from './users.controller.js';
import { VisibilityChanges } from './visibility.changes.js';
import { VisibilityEvents } from './visibility.events.js';
import { VisibilityRepository } from './visibility.repository.js';

/**
 * Users, created at first sight, and who may see whom. Imported once, at the root, after
 * `AuthModule`: guards run in the order of imports.
 */
@Global()
@Module({
  imports: [TypeOrmModule.forFeature([UserEntity, BlockEntity, ContactEntity])],
  controllers: [MeController, BlockController, ContactController, UsersController],
  providers: [
    BlockRepository,
    BlockService,
    ContactRepository,
    ContactService,
    { provide: LastSeen, useClass: LastSeenRepository },
    ProfileService,
    UserDirectory,
    UserListPager,
    UserRepository,
    UserService,
    UserVisibility,
    VisibilityChanges,
    VisibilityEvents,
    VisibilityRepository,
    FirstSight,
    { provide: APP_GUARD, useExisting: FirstSight },
  ],
  exports: [LastSeen, UserDirectory, UserVisibility, VisibilityEvents],
})
export class UsersModule {}
