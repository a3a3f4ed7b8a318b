import { closest } from 'fastest-levenshtein';
import { GatewayError } from '@app/pipeline/api';
import { isFlag, isSettingName, numberSettings, settingNames, type SettingName } from './definitions.js';
import { fileMinimum } from './settings-schema.js';

/** Where a value comes from: the file may give port 0. */
export type SettingOrigin = 'store' | 'file';

/** @throws GatewayError `SETTING_UNKNOWN`, with the nearest name as its hint */
export function checkSettingName(name: string): SettingName {
  if (isSettingName(name)) return name;
  throw new GatewayError(
    'SETTING_UNKNOWN',
    `There is no setting "${name}".`,
    `The nearest name is "${closest(name, settingNames)}".`,
  );
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

function invalid(name: SettingName, value: unknown, hint: string): GatewayError {
  return new GatewayError('SETTING_INVALID', `${JSON.stringify(value)} is no value for ${name}.`, hint);
}
