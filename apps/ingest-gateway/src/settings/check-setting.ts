import { closest } from 'fastest-levenshtein';
import { GatewayError } from '@activity-gateway/pipeline/api';
import {
  flagSettings,
  isFlag,
  isSettingName,
  numberSettings,
  settingNames,
  type FlagSettingName,
  type NumberSettingName,
  type SettingName,
} from './definitions.js';
import { fileMinimum } from './settings-schema.js';

/** Where a value comes from: the file may give port 0. */
export type SettingOrigin = 'store' | 'file';

/** @throws GatewayError `SETTING_UNKNOWN`, with the nearest name as its hint */
export function checkSettingName(name: string): SettingName {
  if (isSettingName(name)) return name;
  throw unknown('setting', name, settingNames);
}

/** @throws GatewayError `SETTING_UNKNOWN` for anything but a setting with a number */
export function checkNumberName(name: string): NumberSettingName {
  if (isSettingName(name) && !isFlag(name)) return name;
  throw unknown('setting', name, Object.keys(numberSettings));
}

/** @throws GatewayError `SETTING_UNKNOWN` for anything but a flag */
export function checkFlagName(name: string): FlagSettingName {
  if (isSettingName(name) && isFlag(name)) return name;
  throw unknown('feature flag', name, Object.keys(flagSettings));
}

/** @throws GatewayError `SETTING_INVALID`, with the range, for a value of another type or outside the range */
export function checkSettingValue(
  name: SettingName,
  value: unknown,
  origin: SettingOrigin,
): number | boolean {
  if (isFlag(name)) {
    if (typeof value === 'boolean') return value;
    throw invalid(name, value, 'Use true or false.');
  }
  const setting = numberSettings[name];
  const minimum = origin === 'file' ? fileMinimum(name, setting) : setting.minimum;
  const fits =
    typeof value === 'number' && Number.isInteger(value) && value >= minimum && value <= setting.maximum;
  if (fits) return value;
  throw invalid(name, value, `Use an integer from ${minimum} to ${setting.maximum} (${setting.unit}).`);
}

/** Names of a URL can be of any length: only what may be a name is repeated and compared. */
const MAX_NAME = 100;

function unknown(what: string, name: string, known: readonly string[]): GatewayError {
  const shown = name.slice(0, MAX_NAME);
  const other = isSettingName(name) ? (isFlag(name) ? 'feature-flags' : 'settings') : undefined;
  return new GatewayError(
    'SETTING_UNKNOWN',
    `There is no ${what} "${shown}".`,
    other === undefined
      ? `The nearest name is "${closest(shown, known)}".`
      : `It is at /api/v1/${other}/${shown}.`,
  );
}

function invalid(name: SettingName, value: unknown, hint: string): GatewayError {
  const shown = (JSON.stringify(value) ?? 'undefined').slice(0, MAX_NAME);
  return new GatewayError('SETTING_INVALID', `${shown} is no value for ${name}.`, hint);
}
