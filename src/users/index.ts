/**
 * Users as far as this system knows them: a profile and what others may see. Guarantees that whoever holds a socket or
 * has called a REST route exists in the table of users. Does not know accounts: those are the identity provider's, and
 * a participant nobody has seen yet need not exist here.
 */
export type { Audience, Privacy, Profile, ProfileChange } from './user.js';
export { UserDirectory } from './user-directory.js';
export { UsersModule } from './users.module.js';
