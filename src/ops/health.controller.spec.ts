import { Test } from '@nestjs/testing';
import type { INestApplication } from '@nestjs/common';
import request from 'supertest';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DrainState } from '../realtime/index.js';
import { HealthChecks } from './health-checks.js';
import { HealthController } from './health.controller.js';
import { atMost } from '../../test/setup/patience.js';

let app: INestApplication;
let checks: HealthChecks;
let url: string;

beforeEach(async () => {
  const module = await Test.createTestingModule({
    controllers: [HealthController],
    providers: [HealthChecks, DrainState],
  }).compile();
  app = module.createNestApplication();
  await app.listen(0, '127.0.0.1');
  url = await app.getUrl();
  checks = app.get(HealthChecks);
});

afterEach(() => app.close());

describe('GET /health/ready', () => {
  it('names each dependency that works', async () => {
    checks.add('postgres', () => Promise.resolve());
    checks.add('redis', () => Promise.resolve());
    const answer = await request(url).get('/health/ready').expect(200);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.body).toEqual({
      status: 'ready',
      draining: false,
      dependencies: { postgres: { status: 'up' }, redis: { status: 'up' } },
    });
  });

  it('names the one that is down, without its error', async () => {
    checks.add('postgres', () => Promise.reject(new Error('password of parley refused')));
    checks.add('redis', () => Promise.resolve());
    const answer = await request(url).get('/health/ready').expect(503);
    expect(answer.body).toMatchObject({
      status: 'unavailable',
      dependencies: { postgres: { status: 'down' }, redis: { status: 'up' } },
    });
    expect(answer.text).not.toContain('password');
  });

  it('gives a dependency that hangs one second', async () => {
    checks.add('postgres', () => new Promise(() => undefined));
    const startedMs = Date.now();
    await request(url).get('/health/ready').expect(503);
    expect(Date.now() - startedMs).toBeLessThan(atMost(2_000));
  });

  it('turns red while draining', async () => {
    checks.add('postgres', () => Promise.resolve());
    app.get(DrainState).begin();
    const answer = await request(url).get('/health/ready').expect(503);
    expect(answer.body).toMatchObject({ draining: true, dependencies: { postgres: { status: 'up' } } });
  });
});

describe('GET /health/live', () => {
  it('answers as long as the process runs, whatever its dependencies do', async () => {
    checks.add('postgres', () => Promise.reject(new Error('away')));
    await request(url).get('/health/live').expect(200, { status: 'live' });
  });
});
