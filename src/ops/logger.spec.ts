import { describe, expect, it } from 'vitest';
import { ParleyLogger } from './logger.js';

const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl';

function loggerWithLines(logLevel = 'info') {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>);
  return { lines, logger: new ParleyLogger({ logLevel, nodeEnv: 'production' }, { write }) };
}

describe('ParleyLogger', () => {
  it('writes one JSON line with level, ISO time, context and text', () => {
    const { lines, logger } = loggerWithLines();
    logger.log('listening', 'Main');
    expect(lines).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string,
        pid: process.pid,
        context: 'Main',
        msg: 'listening',
      },
    ]);
  });

  it('takes fields, errors and texts in any of Nest’s orders', () => {
    const { lines, logger } = loggerWithLines();
    logger.error({ requestId: 'r1', err: new Error('broken') }, 'request failed', 'Http');
    logger.error('failed', new TypeError('wrong'), 'Feature');
    logger.error(new Error('bare'), undefined, 'Feature');
    expect(lines[0]).toMatchObject({
      context: 'Http',
      requestId: 'r1',
      err: { message: 'broken' },
      msg: 'request failed',
    });
    expect(lines[1]).toMatchObject({ context: 'Feature', err: { type: 'TypeError', message: 'wrong' }, msg: 'failed' });
    expect(lines[2]).toMatchObject({ context: 'Feature', err: { message: 'bare' }, msg: 'bare' });
  });

  it('leaves out what is below its level', () => {
    const { lines, logger } = loggerWithLines('warn');
    logger.log('quiet');
    logger.warn('loud');
    expect(lines.map(({ msg }) => msg)).toEqual(['loud']);
  });

  it('counts Nest’s line for each module, route and event as debugging', () => {
    const { lines, logger } = loggerWithLines('debug');
    logger.log('Mapped {/v1/me, GET} route', 'RouterExplorer');
    logger.log('Nest application successfully started', 'NestApplication');
    expect(lines.map(({ level }) => level)).toEqual(['debug', 'info']);
  });

  it('blanks bodies, tokens and authorization headers wherever they stand', () => {
    const { lines, logger } = loggerWithLines();
    logger.log({ token: 'secret', message: { content: 'secret' }, req: { headers: { authorization: 'secret' } } });
    logger.log({ body: { text: 'secret' }, request: { body: 'secret', payload: ['secret'] } });
    expect(JSON.stringify(lines)).not.toContain('secret');
  });

  it('takes tokens and passwords out of texts', () => {
    const { lines, logger } = loggerWithLines();
    logger.warn(`refused ${jwt} from postgres://parley:hunter2@db:5432/parley`, 'Main');
    logger.error(new Error(`bad token ${jwt}`));
    const written = JSON.stringify(lines);
    expect(written).not.toContain(jwt);
    expect(written).not.toContain('hunter2');
    expect(written).toContain('postgres://parley:***@db:5432/parley');
  });

  it('keeps statement parameters and row values of driver errors to itself', () => {
    const { lines, logger } = loggerWithLines();
    const driverError = Object.assign(new Error('duplicate key'), {
      code: '23505',
      detail: 'secret',
      parameters: ['secret'],
    });
    logger.error('failed', new Error('append failed', { cause: driverError }));
    expect(JSON.stringify(lines)).not.toContain('secret');
    expect(lines[0]).toMatchObject({
      err: { message: 'append failed', cause: { code: '23505', message: 'duplicate key' } },
    });
  });
});
