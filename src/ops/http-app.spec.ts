import { Body, Controller, Get, Post, UsePipes } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { IsString } from 'class-validator';
import request from 'supertest';
import { afterEach, describe, expect, it } from 'vitest';
import { RequestAdmission } from '../auth/index.js';
import { ChatError, DtoPipe } from '../common/index.js';
import { makeSettings, Settings, type SettingsValues } from '../config/index.js';
import { Metrics, PrometheusMetrics } from '../metrics/index.js';
import { StrangerLimits } from '../realtime/index.js';
import { configureHttp, httpAppOptions } from './http-app.js';
import { ParleyLogger } from './logger.js';
import { setupDocs } from './openapi.js';
import { OpsPort } from './ops-port.js';

class NoteDto {
  @IsString()
  text!: string;
}

@Controller('v1/notes')
@UsePipes(new DtoPipe())
class NotesController {
  @Post()
  create(@Body() dto: NoteDto): NoteDto {
    return dto;
  }

  @Get('conflict')
  conflict(): void {
    throw new ChatError('RATE_LIMITED', { retryAfterMs: 1_200 });
  }

  @Get('slow')
  async slow(): Promise<string> {
    await new Promise((resolve) => setTimeout(resolve, 300));
    return 'late';
  }

  @Get('bug')
  bug(): void {
    throw new Error('SELECT secret FROM messages');
  }
}

@Controller('metrics')
class NumbersController {
  @Get()
  scrape(): string {
    return 'numbers';
  }
}

@Controller('v1/auth')
class AdministrationController {
  @Post('revoke')
  revoke(): string {
    return 'revoked';
  }
}

let app: NestExpressApplication;
let lines: Record<string, unknown>[];

async function start(values: Partial<SettingsValues> = {}): Promise<string> {
  lines = [];
  const settings = makeSettings({ host: '127.0.0.1', logLevel: 'info', ...values });
  const logger = new ParleyLogger(settings, {
    write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>),
  });
  const module = await Test.createTestingModule({
    controllers: [NotesController, NumbersController, AdministrationController],
    providers: [
      OpsPort,
      StrangerLimits,
      { provide: Metrics, useClass: PrometheusMetrics },
      { provide: Settings, useValue: settings },
      // Accepts every token; test/security/budgets.e2e.ts covers sign-in.
      { provide: RequestAdmission, useValue: { admit: () => Promise.resolve() } },
    ],
  }).compile();
  app = module.createNestApplication<NestExpressApplication>({ ...httpAppOptions, logger });
  configureHttp(app, settings, logger);
  setupDocs(app, settings);
  await app.listen(0, '127.0.0.1');
  return app.getUrl();
}

const requestLines = () => lines.filter((line) => line.msg === 'request');

afterEach(() => app.close());

describe('configureHttp: failures', () => {
  it('answers an unknown route with problem details', async () => {
    const answer = await request(await start())
      .get('/v1/nothing')
      .expect(404);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.body).toEqual({
      type: 'about:blank',
      title: 'No such thing, or not for this caller',
      status: 404,
      detail: 'No such thing, or not for this caller',
      code: 'NOT_FOUND',
      retryable: false,
      requestId: answer.headers['x-request-id'],
    });
  });

  it('answers malformed JSON without quoting it', async () => {
    const answer = await request(await start())
      .post('/v1/notes')
      .type('json')
      .send('{"text": secret')
      .expect(400);
    expect(answer.body).toMatchObject({ code: 'VALIDATION_FAILED', details: [{ path: '' }] });
    expect(answer.text).not.toContain('secret');
  });

  it('answers a body above MAX_PACKET_BYTES with PAYLOAD_TOO_LARGE', async () => {
    const url = await start({ maxPacketBytes: 1_024 });
    const answer = await request(url)
      .post('/v1/notes')
      .send({ text: 'x'.repeat(2_000) })
      .expect(413);
    expect(answer.body).toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/xml'])(
    'refuses a body of %s',
    async (type) => {
      const answer = await request(await start())
        .post('/v1/notes')
        .type(type)
        .send('text=hello')
        .expect(400);
      const message = 'The body must be application/json';
      expect(answer.body).toMatchObject({
        code: 'VALIDATION_FAILED',
        detail: message,
        details: [{ path: '', message }],
      });
    },
  );

  it('names each fault of a body', async () => {
    const answer = await request(await start())
      .post('/v1/notes')
      .send({ text: 5, more: 1 })
      .expect(400);
    expect((answer.body as { details: { path: string }[] }).details.map(({ path }) => path).sort()).toEqual([
      'more',
      'text',
    ]);
  });

  it('says when to try again', async () => {
    const answer = await request(await start())
      .get('/v1/notes/conflict')
      .expect(429);
    expect(answer.headers['retry-after']).toBe('2');
    expect(answer.body).toMatchObject({ code: 'RATE_LIMITED', retryable: true, retryAfterMs: 1_200 });
  });

  it('answers UNAVAILABLE when a handler takes too long, and takes its late answer for no bug', async () => {
    const answer = await request(await start({ eventTimeoutMs: 100 }))
      .get('/v1/notes/slow')
      .expect(503);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.headers['retry-after']).toBe('1');
    expect(answer.body).toMatchObject({ code: 'UNAVAILABLE', retryable: true });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(lines.filter((line) => line.msg === 'request failed')).toEqual([]);
    expect(requestLines()).toMatchObject([{ status: 503 }]);
  });

  it('keeps a bug to the log, under the request id of the answer', async () => {
    const answer = await request(await start())
      .get('/v1/notes/bug')
      .set('X-Request-Id', 'abc-1')
      .expect(500);
    expect(answer.body).toMatchObject({ code: 'INTERNAL', requestId: 'abc-1', detail: 'An error of the server' });
    expect(answer.text).not.toContain('SELECT');
    const logged = lines.find((line) => line.level === 'error' && line.context === 'Http');
    expect(logged).toMatchObject({ requestId: 'abc-1', err: { message: 'SELECT secret FROM messages' } });
  });
});

describe('configureHttp: request ids and log', () => {
  it.each(['', 'a b', 'x'.repeat(129), '<script>'])('replaces the malformed request id %j', async (proposed) => {
    const answer = await request(await start())
      .get('/v1/nothing')
      .set('X-Request-Id', proposed);
    expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('writes one line per request, without query, header or body', async () => {
    await request(await start())
      .post('/v1/notes?token=in-the-query')
      .set('Authorization', 'Bearer in-the-header')
      .send({ text: 'in-the-body' })
      .expect(201);
    await expect.poll(requestLines).toHaveLength(1);
    expect(requestLines()[0]).toMatchObject({ method: 'POST', route: '/v1/notes', status: 201 });
    expect(JSON.stringify(lines)).not.toMatch(/in-the-(query|header|body)/);
  });

  it('does not log what collectors fetch', async () => {
    const url = await start();
    await request(url).get('/metrics').expect(200);
    await request(url).get('/v1/nothing').expect(404);
    await expect.poll(requestLines).toHaveLength(1);
  });
});

it('configureHttp keeps caches from every answer under /v1, refusals included', async () => {
  const url = await start();
  const answers = [
    await request(url).post('/v1/notes').send({ text: 'x' }).expect(201),
    await request(url).post('/v1/notes').send({}).expect(400),
    await request(url).post('/v1/notes').type('json').send('{').expect(400),
    await request(url).post('/v1/notes').type('text').send('x').expect(400),
    await request(url)
      .post('/v1/notes')
      .send({ text: 'x'.repeat(200_000) })
      .expect(413),
    await request(url).get('/v1/nothing').expect(404),
    await request(url).get('/V1/notes/bug').expect(500),
    await request(url)
      .options('/v1/notes')
      .set('Origin', 'https://a.example')
      .set('Access-Control-Request-Method', 'GET'),
  ];
  for (const { headers } of answers) expect(headers['cache-control']).toBe('no-store');
});

describe('configureHttp: origins', () => {
  it('sends no cross-origin header where none is allowed', async () => {
    const answer = await request(await start())
      .post('/v1/notes')
      .set('Origin', 'https://evil.example')
      .send({ text: 'x' });
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  it('allows the origins of CORS_ORIGINS and no other', async () => {
    const url = await start({ corsOrigins: ['https://app.example'] });
    const preflight = (origin: string) =>
      request(url).options('/v1/notes').set('Origin', origin).set('Access-Control-Request-Method', 'POST');
    const allowed = await preflight('https://app.example').expect(204);
    expect(allowed.headers['access-control-allow-origin']).toBe('https://app.example');
    expect(allowed.headers['vary']).toContain('Origin');
    for (const origin of ['https://evil.example', 'https://app.example.evil.example', 'null']) {
      const refused = await preflight(origin);
      expect(refused.headers['access-control-allow-origin']).toBeUndefined();
      expect(refused.headers['access-control-allow-methods']).toBeUndefined();
    }
  });

  it('tells a refused page why, and the operator once for each origin', async () => {
    const url = await start({ corsOrigins: ['https://app.example', 'https://*.app.example', 'capacitor://localhost'] });
    const preflight = (origin: string) =>
      request(url).options('/v1/notes').set('Origin', origin).set('Access-Control-Request-Method', 'POST');
    for (const origin of ['https://a.app.example', 'capacitor://localhost']) {
      expect((await preflight(origin).expect(204)).headers['access-control-allow-origin']).toBe(origin);
    }
    for (const origin of ['https://evil.example', 'https://a.b.app.example', 'https://evil.example']) {
      const { body } = await preflight(origin).expect(403);
      expect(body).toMatchObject({ code: 'FORBIDDEN', detail: expect.stringContaining('CORS_ORIGINS') as string });
      await request(url).post('/v1/notes').set('Origin', origin).send({ text: 'x' });
    }
    const refusals = lines.filter(({ context }) => context === 'Origins');
    expect(refusals).toMatchObject([
      { origin: 'https://evil.example', address: '127.0.0.1', target: 'OPTIONS /v1/notes' },
      { origin: 'https://a.b.app.example' },
    ]);
  });

  it('allows localhost of any port in development, unless CORS_ORIGINS says otherwise', async () => {
    const granted = async (values: Partial<SettingsValues>) => {
      const answer = await request(await start(values))
        .get('/v1/nothing')
        .set('Origin', 'http://localhost:5173');
      await app.close();
      return answer.headers['access-control-allow-origin'];
    };
    const production = { jwtSecret: 'x'.repeat(32), databaseUrl: 'postgres://db', redisUrl: 'redis://r' };
    expect(await granted({})).toBe('http://localhost:5173');
    expect(await granted({ corsOrigins: ['https://app.example'] })).toBeUndefined();
    expect(await granted({ nodeEnv: 'production', ...production })).toBeUndefined();
  });
});

describe('configureHttp: operations', () => {
  it('serves metrics and documents on the main port by default', async () => {
    const url = await start();
    await request(url).get('/metrics').expect(200, 'numbers');
    const docs = await request(url).get('/docs-json').expect(200);
    expect(docs.body).toMatchObject({ openapi: '3.1.0', paths: { '/v1/notes': { post: {} } } });
    expect((await request(url).get('/docs/').expect(200)).text).toContain('swagger-ui');
    await request(url).get('/docs/swagger-ui-bundle.js').expect(200);
  });

  it('serves neither when both are turned off', async () => {
    const url = await start({ metricsEnabled: false, docsEnabled: false });
    await request(url).get('/metrics').expect(404);
    await request(url).get('/METRICS/').expect(404);
    await request(url).get('/docs').expect(404);
    await request(url).get('/docs-json').expect(404);
  });

  it('moves both to the second port, which carries nothing else', async () => {
    const opsPort = 20_000 + Math.floor(Math.random() * 10_000);
    const url = await start({ opsPort });
    await request(url).get('/metrics').expect(404);
    await request(url).get('/docs').expect(404);
    await request(url).get('/docs-json').expect(404);
    for (const path of ['/v1/auth/revoke', '/v1/auth/revoke/', '/V1/Auth/Revoke', '/v1/webhooks/1']) {
      expect((await request(url).post(path).expect(404)).body, path).toMatchObject({ code: 'NOT_FOUND' });
    }
    const second = `http://127.0.0.1:${opsPort}`;
    await request(second).get('/metrics').expect(200, 'numbers');
    await request(second).get('/docs-json').expect(200);
    await request(second).post('/v1/auth/revoke').expect(201);
    await request(second).post('/v1/authors').expect(404);
    await request(second).get('/v1/notes/bug').expect(404);
  });
});
