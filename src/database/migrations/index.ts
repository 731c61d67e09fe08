import { Foundation1764000000000 } from './1764000000000-foundation.js';
import { Auth1764000100000 } from './1764000100000-auth.js';
import { MessageLife1764000300000 } from './1764000300000-message-life.js';
import { Receipts1764000400000 } from './1764000400000-receipts.js';

/** Every migration, oldest first. Append only: a migration that has been released never changes. */
export const migrations = [Foundation1764000000000, Auth1764000100000, MessageLife1764000300000, Receipts1764000400000];
