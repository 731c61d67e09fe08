import { Injectable } from '@nestjs/common';
import {
  Clock,
  registerErrorCodes,
  RoleAccessPolicy,
  type AccessRefusal,
  type AccessRequest,
} from '../../src/index.js';

registerErrorCodes({ ACME_QUIET_HOURS: { status: 403, retryable: false, title: 'Nobody writes at night' } });

/** The roles of old; but from 22 to 6 o'clock, UTC, only owners and admins write in groups. */
@Injectable()
export class QuietHoursPolicy extends RoleAccessPolicy {
  constructor(private readonly clock: Clock) {
    super();
  }

  override decide(request: AccessRequest): AccessRefusal | null {
    const isAsked = request.verb === 'send' && request.conversation.kind === 'group' && request.role === 'member';
    if (isAsked && this.isNight()) return { code: 'ACME_QUIET_HOURS', message: 'Good night; write again at six' };
    return super.decide(request);
  }

  private isNight(): boolean {
    const hour = new Date(this.clock.now()).getUTCHours();
    return hour >= 22 || hour < 6;
  }
}
