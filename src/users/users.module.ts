import { Global, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { BlockEntity } from './block.entity.js';
import { FirstSight } from './first-sight.js';
import { MeController } from './me.controller.js';
import { ProfileService } from './profile.service.js';
import { UserDirectory } from './user-directory.js';
import { UserEntity } from './user.entity.js';
import { UserRepository } from './user.repository.js';

/** Users, created at first sight. Imported once, at the root, after `AuthModule`: guards run in the order of imports. */
@Global()
@Module({
  imports: [TypeOrmModule.forFeature([UserEntity, BlockEntity])],
  controllers: [MeController],
  providers: [
    ProfileService,
    UserDirectory,
    UserRepository,
    FirstSight,
    { provide: APP_GUARD, useExisting: FirstSight },
  ],
  exports: [UserDirectory],
})
export class UsersModule {}
