/**
 * Settings: every one has a name, a unit, a default and a check in one table. A wrong or missing
 * one stops the start with one line that names it.
 */
export { ConfigModule, type SettingsSource } from './config.module.js';
export { readDatabaseUrl, type DatabaseAddress, type DatabaseHost } from './database-url.js';
export { mistypedSettings } from './mistyped-settings.js';
export {
  makeSettings,
  readServerSettings,
  readSettings,
  secretsOf,
  Settings,
  SettingsError,
  usesDevelopmentSecret,
  withOwnServices,
} from './settings.js';
export { settingsTable, type SettingEntry, type SettingsValues } from './settings.table.js';
