/**
 * The limit of open files of this process. Loads nothing, so that it can be asked before any other
 * module is read: under a small limit Node cannot even load the server, and says that a package is
 * missing.
 */
export { openFilesAdvice, openFilesLimit, refusalOfOpenFiles } from './open-files-limit.js';
