import { Global, Module, type DynamicModule, type Type } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { AccessWatch } from './access-watch.js';
import { Authenticator } from './authenticator.js';
import { FailedSignIns } from './failed-sign-ins.js';
import { HttpJwtGuard } from './http-jwt.guard.js';
import { JwtAuthenticator } from './jwt.authenticator.js';
import { RequestAdmission } from './request-admission.js';
import { RequestBudget } from './request-budget.js';
import { RevocationRepository } from './revocation.repository.js';
import { Revocations } from './revocations.js';
import { RevokeController } from './revoke.controller.js';
import { SessionController } from './session.controller.js';
import { SignIn } from './sign-in.js';
import { WsJwtGuard } from './ws-jwt.guard.js';

export interface AuthModuleOptions {
  /** Replaces the JWT default; made by Nest, so it may inject what is global. */
  authenticator?: Type<Authenticator>;
}

/**
 * Closes every REST route and every event of the application to those without a good token.
 * Imported once, at the root.
 */
@Global()
@Module({})
export class AuthModule {
  /** Needs `Settings`, `Clock`, `Metrics`, `Sql`, `WatchSql` and `NodeBus` from global modules. */
  static forRoot({ authenticator = JwtAuthenticator }: AuthModuleOptions = {}): DynamicModule {
    return {
      module: AuthModule,
      controllers: [RevokeController, SessionController],
      providers: [
        { provide: Authenticator, useClass: authenticator },
        AccessWatch,
        RevocationRepository,
        Revocations,
        FailedSignIns,
        RequestAdmission,
        RequestBudget,
        SignIn,
        HttpJwtGuard,
        WsJwtGuard,
        { provide: APP_GUARD, useExisting: HttpJwtGuard },
        { provide: APP_GUARD, useExisting: WsJwtGuard },
      ],
      exports: [AccessWatch, Authenticator, Revocations, RequestAdmission, SignIn, HttpJwtGuard, WsJwtGuard],
    };
  }
}
