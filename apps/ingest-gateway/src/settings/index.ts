export { checkFlagName, checkNumberName } from './check-setting.js';
export * from './data-plane-settings.js';
export * from './definitions.js';
export { settingsSchema } from './settings-schema.js';
export * from './setting.view.js';
export { SettingsService, type SettingsGuard } from './settings.service.js';
