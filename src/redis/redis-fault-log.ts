import { Logger } from '@nestjs/common';
import { isRedisDenial } from './redis-errors.js';

const sameFaultMs = 60_000;
const anyFaultMs = 2_000;
const flutterMs = 10_000;

interface Remedy {
  of: RegExp;
  what: string;
  todo: string;
}

// The first match counts. A fault without a match is an outage, which ends by itself.
const remedies: Remedy[] = [
  {
    of: /DB index is out of range|invalid DB index/i,
    what: 'Redis lacks the database number of REDIS_URL',
    todo: 'correct the number, or raise `databases` of Redis',
  },
  {
    of: /WRONGPASS|NOAUTH|invalid password|without any password/i,
    what: 'Redis refuses the credentials',
    todo: 'correct user and password of REDIS_URL',
  },
  {
    of: /certificate|self.signed|altname|issuer|UNABLE_TO_|DEPTH_ZERO|CERT_/i,
    what: 'The certificate of Redis is not trusted',
    todo: 'give Node the authority that signed it (NODE_EXTRA_CA_CERTS), or correct the host name of REDIS_URL',
  },
  {
    of: /SSL routines|wrong version number|packet length|EPROTO|speak TLS/i,
    what: 'TLS with Redis fails',
    todo: 'use redis:// for a port without TLS',
  },
  { of: /expects TLS/, what: 'Redis answers nothing', todo: 'check scheme and port of REDIS_URL' },
  { of: /knows no master/, what: 'No Sentinel knows the master', todo: 'correct the name in the path of REDIS_URL' },
  {
    of: /ENOTFOUND|EAI_AGAIN/,
    what: 'The host name of Redis is unknown',
    todo: 'check the host of REDIS_URL and the name server',
  },
  {
    of: /^READONLY|read only replica/i,
    what: 'Redis takes no writes',
    todo: 'lead REDIS_URL to the master; after a failover this ends by itself',
  },
  {
    of: /of the Redis Cluster/,
    what: 'A node of the Redis Cluster cannot be used',
    todo: 'check that node, and the address that it announces (cluster-announce-ip, cluster-announce-port)',
  },
];
const denied: Omit<Remedy, 'of'> = {
  what: 'Redis denies what this server needs',
  todo: 'grant its user the commands, keys and channels named in docs/operations.md',
};
const outage: Omit<Remedy, 'of'> = { what: 'Redis is away', todo: 'it is tried again until it answers' };

function remedyOf(fault: string): Omit<Remedy, 'of'> {
  return isRedisDenial(new Error(fault)) ? denied : (remedies.find(({ of }) => of.test(fault)) ?? outage);
}

/**
 * Tells operators why Redis cannot be used, in its own words, and what to do: a wrong setting is
 * told apart from an outage.
 *
 * A fault is told once, and again after a minute; one that comes and goes is told no more than once
 * in ten seconds.
 */
export class RedisFaultLog {
  private readonly logger: Logger;
  private told: string | null = null;
  private toldAtMs = -Infinity;
  private endedAtMs = -Infinity;

  constructor(
    context: string,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.logger = new Logger(context);
  }

  fault(fault: string): void {
    const sinceMs = this.now() - this.toldAtMs;
    // Numbers that differ (a delay, a port of this end) make no other fault.
    const isSame = this.told !== null && shapeOf(this.told) === shapeOf(fault);
    const waitMs = this.now() - this.endedAtMs < flutterMs ? flutterMs : isSame ? sameFaultMs : anyFaultMs;
    if (sinceMs < waitMs) return;
    this.told = fault;
    this.toldAtMs = this.now();
    const { what, todo } = remedyOf(fault);
    this.logger.warn(
      `${what}: ${fault.replace(/\.$/, '')}. Sends go on; presence, typing and other nodes wait for Redis: ${todo}`,
    );
  }

  listenerFailed(error: unknown): void {
    this.logger.error('A listener to the return of Redis failed', error);
  }

  /** Says so if a fault was told. */
  works(line: string): void {
    if (this.told === null) return;
    if (this.now() - this.endedAtMs < flutterMs) return;
    this.told = null;
    this.endedAtMs = this.now();
    this.logger.log(line);
  }
}

function shapeOf(fault: string): string {
  return fault.replace(/\d+ms/g, '');
}
