import { Foundation1764000000000 } from './1764000000000-foundation.js';

/** Every migration, oldest first. Append only: a migration that has been released never changes. */
export const migrations = [Foundation1764000000000];
