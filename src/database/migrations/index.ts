import { Foundation1764000000000 } from './1764000000000-foundation.js';
import { Auth1764000100000 } from './1764000100000-auth.js';
import { MessageLife1764000300000 } from './1764000300000-message-life.js';
import { Receipts1764000400000 } from './1764000400000-receipts.js';
import { Delivery1764000500000 } from './1764000500000-delivery.js';
import { AppendLockTimeout1764000550000 } from './1764000550000-append-lock-timeout.js';
import { Contacts1764000600000 } from './1764000600000-contacts.js';
import { NoticeLog1764000700000 } from './1764000700000-notice-log.js';
import { AppendPlan1764000800000 } from './1764000800000-append-plan.js';
import { SearchStatistics1764000900000 } from './1764000900000-search-statistics.js';
import { HiddenRedelivery1764001000000 } from './1764001000000-hidden-redelivery.js';
import { DatabaseStarts1764001100000 } from './1764001100000-database-starts.js';
import { ActivityMarks1764001200000 } from './1764001200000-activity-marks.js';
import { ActivityBackfill1764001300000 } from './1764001300000-activity-backfill.js';
import { AppendOne1764001400000 } from './1764001400000-append-one.js';
import { DeviceBacklogs1764001500000 } from './1764001500000-device-backlogs.js';
import { Deployment1764002200000 } from './1764002200000-deployment.js';
import { NewConversations1764002500000 } from './1764002500000-new-conversations.js';
import { Acceptance1764002600000 } from './1764002600000-acceptance.js';
import { AppendAcceptance1764002610000 } from './1764002610000-append-acceptance.js';
import { DeletedConversations1764003100000 } from './1764003100000-deleted-conversations.js';
import { RevocationBound1764003200000 } from './1764003200000-revocation-bound.js';

/** Every migration, oldest first. Append only: a migration that has been released never changes. */
export const migrations = [
  Foundation1764000000000,
  Auth1764000100000,
  MessageLife1764000300000,
  Receipts1764000400000,
  Delivery1764000500000,
  AppendLockTimeout1764000550000,
  Contacts1764000600000,
  NoticeLog1764000700000,
  AppendPlan1764000800000,
  SearchStatistics1764000900000,
  HiddenRedelivery1764001000000,
  DatabaseStarts1764001100000,
  ActivityMarks1764001200000,
  ActivityBackfill1764001300000,
  AppendOne1764001400000,
  DeviceBacklogs1764001500000,
  Deployment1764002200000,
  NewConversations1764002500000,
  Acceptance1764002600000,
  AppendAcceptance1764002610000,
  DeletedConversations1764003100000,
  RevocationBound1764003200000,
];
