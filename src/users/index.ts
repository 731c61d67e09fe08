/**
 * Users as far as this system knows them: a profile, contacts and blocks, and who may see whom.
 * Guarantees that whoever holds a socket or has called a REST route exists in the table of users,
 * and that a change of contacts, blocks, privacy or membership is told to every node, also when the
 * node that committed it dies. Does not know accounts: those are the identity provider's, and a
 * participant, contact or blocked user nobody has seen yet need not exist here.
 */
export type { Audience, Privacy, Profile, ProfileChange } from './user.js';
export { LastSeen, type Sighting } from './last-seen.js';
export { UserDirectory } from './user-directory.js';
export type { ListedUser } from './user-list.js';
export { UserVisibility } from './user-visibility.js';
export { UsersModule } from './users.module.js';
export { VisibilityEvents, type VisibilityChange, type VisibilityListener } from './visibility.events.js';
export type { Sight } from './visibility.js';
