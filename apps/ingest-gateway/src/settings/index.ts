export * from './data-plane-settings.js';
export * from './definitions.js';
export { settingsSchema } from './settings-schema.js';
export { SettingsService, type SettingView } from './settings.service.js';
