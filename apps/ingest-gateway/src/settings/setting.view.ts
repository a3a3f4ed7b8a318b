import { flagSettings, numberSettings, type FlagSettingName, type NumberSettingName } from './definitions.js';

/** Where a value comes from. `store`: set over the API; `config`: `settings:` of gateway.yaml. */
export type SettingSource = 'store' | 'config' | 'default';

/** A setting with a number, as `GET /api/v1/settings` shows it. */
export interface NumberSettingView {
  readonly key: NumberSettingName;
  readonly value: number;
  readonly default: number;
  /** Smallest value that the API takes. */
  readonly min: number;
  /** Largest value. */
  readonly max: number;
  readonly unit: string;
  readonly description: string;
  /** Whether the value in force is not the default. */
  readonly overridden: boolean;
  readonly source: SettingSource;
}

/** A flag, as `GET /api/v1/feature-flags` shows it. */
export interface FlagSettingView {
  readonly key: FlagSettingName;
  readonly value: boolean;
  readonly default: boolean;
  readonly description: string;
  readonly overridden: boolean;
  readonly source: SettingSource;
}

/** A setting as the API shows it. */
export type SettingView = NumberSettingView | FlagSettingView;

/** What a setting with a number is and why. */
export function viewNumber(key: NumberSettingName, value: number, source: SettingSource): NumberSettingView {
  const { default: fallback, minimum: min, maximum: max, unit, description } = numberSettings[key];
  const overridden = value !== fallback;
  return { key, value, default: fallback, min, max, unit, description, overridden, source };
}

/** What a flag is and why. */
export function viewFlag(key: FlagSettingName, value: boolean, source: SettingSource): FlagSettingView {
  const { default: fallback, description } = flagSettings[key];
  return { key, value, default: fallback, description, overridden: value !== fallback, source };
}
