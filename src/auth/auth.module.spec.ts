import { Controller, Get, Global, Module, type INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, type TestDatabase } from '../../test/setup/services.js';
import { Clock, PayloadLimits, ProblemDetailsFilter, SystemClock } from '../common/index.js';
import { makeSettings, Settings } from '../config/index.js';
import { DatabaseModule } from '../database/index.js';
import { MetricsModule } from '../metrics/index.js';
import { MemoryNodeBus, NodeBus } from '../redis/index.js';
import { AuthModule } from './auth.module.js';
import { mintDevelopmentToken } from './dev-token.js';
import { patient } from '../../test/setup/patience.js';

@Controller('probe')
class ProbeController {
  @Get()
  probe() {
    return {};
  }
}

describe('AuthModule', () => {
  let database: TestDatabase;
  let settings: Settings;
  let apps: INestApplication[];
  let admin: string;

  async function startApp(): Promise<INestApplication> {
    @Global()
    @Module({
      providers: [
        { provide: Settings, useValue: settings },
        { provide: PayloadLimits, useValue: settings },
        { provide: Clock, useClass: SystemClock },
        { provide: NodeBus, useClass: MemoryNodeBus },
      ],
      exports: [Settings, PayloadLimits, Clock, NodeBus],
    })
    class CoreModule {}
    const imports = [CoreModule, MetricsModule, DatabaseModule.forRoot(), AuthModule.forRoot()];
    const testing = await Test.createTestingModule({ imports, controllers: [ProbeController] }).compile();
    const app = testing.createNestApplication({ logger: false });
    app.useGlobalFilters(new ProblemDetailsFilter());
    return app.init();
  }

  beforeAll(async () => {
    database = await createDatabase();
    settings = makeSettings({
      jwtSecret: 'a-secret-of-more-than-thirty-two-bytes',
      databaseUrl: database.url,
      databasePoolSize: 2,
      migrationsRun: false,
    });
    apps = [await startApp(), await startApp()];
    admin = await mintDevelopmentToken(settings, 'root', { scopes: ['admin'] });
  });

  afterAll(async () => {
    await Promise.all(apps.map((app) => app.close()));
    await database.drop();
  });

  const revoke = (body: unknown, token = admin) =>
    request(apps[0]!.getHttpServer())
      .post('/v1/auth/revoke')
      .set('Authorization', `Bearer ${token}`)
      .send(body as object);
  const probe = (token?: string, node = 0) =>
    request(apps[node]!.getHttpServer())
      .get('/probe')
      .set(token === undefined ? {} : { Authorization: `Bearer ${token}` });

  it('closes a route that says nothing about tokens', async () => {
    expect((await probe()).body).toMatchObject({ code: 'UNAUTHENTICATED', status: 401 });
    expect((await probe(await mintDevelopmentToken(settings, 'alice'))).status).toBe(200);
  });

  it('takes back tokens on this node at once and on another within two seconds', async () => {
    const token = await mintDevelopmentToken(settings, 'carol', { nowMs: Date.now() - 2_000 });
    expect([(await probe(token, 0)).status, (await probe(token, 1)).status]).toEqual([200, 200]);
    expect((await revoke({ sub: 'carol' })).status).toBe(204);
    expect((await probe(token, 0)).body).toMatchObject({ code: 'TOKEN_REVOKED', status: 401 });
    await expect.poll(async () => (await probe(token, 1)).body.code, { timeout: patient(2_000) }).toBe('TOKEN_REVOKED');
  });

  it('leaves tokens alone that were issued after the mark', async () => {
    const token = await mintDevelopmentToken(settings, 'dave');
    expect((await revoke({ sub: 'dave', before: '2026-01-01T00:00:00+01:00' })).status).toBe(204);
    expect((await revoke({ sub: 'dave', before: '2026-01-01' })).status).toBe(204);
    expect((await probe(token)).status).toBe(200);
  });

  it('is for admins only', async () => {
    const { body } = await revoke({ sub: 'root' }, await mintDevelopmentToken(settings, 'alice', { scopes: ['chat'] }));
    expect(body).toMatchObject({ code: 'FORBIDDEN', status: 403 });
    expect((await probe(admin)).status).toBe(200);
  });

  it.each(['2026-01-01T10:00:00', '2026-01-01T10:00:00.123456', '2026-01-01T12:00:00+02:00', '2026-01-01'])(
    'takes %s for a time, UTC where it names no zone',
    async (before) => {
      expect((await revoke({ sub: 'dave', before })).status).toBe(204);
    },
  );

  it.each([
    [{}, 'sub'],
    [{ sub: '' }, 'sub'],
    [{ sub: 7 }, 'sub'],
    [{ sub: 'a'.repeat(129) }, 'sub'],
    [{ sub: 'a\u0000' }, 'sub'],
    [{ sub: { $ne: 1 } }, 'sub'],
    [{ sub: 'bob', before: 1_700_000_000 }, 'before'],
    [{ sub: 'bob', before: 'yesterday' }, 'before'],
    [{ sub: 'bob', before: '2026-02-30T00:00:00Z' }, 'before'],
    [{ sub: 'bob', before: '2026-01-01T10' }, 'before'],
    [{ sub: 'bob', before: '9999-01-01T00:00:00Z' }, 'before'],
    [{ sub: 'bob', until: '2026-01-01' }, 'until'],
  ])('refuses %j and names the path', async (payload, path) => {
    const { status, body } = await revoke(payload);
    expect([status, body.code, body.details[0].path]).toEqual([400, 'VALIDATION_FAILED', path]);
  });
});
