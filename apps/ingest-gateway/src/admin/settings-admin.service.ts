import type { JsonSchema } from '@app/pipeline/api';
import type { DataPlaneHost } from '../data-plane/index.js';
import {
  checkFlagName,
  checkNumberName,
  type FlagSettingView,
  type NumberSettingView,
  type SettingsService,
  type SettingView,
} from '../settings/index.js';

/** Body of `PUT /api/v1/settings/:key` and `PUT /api/v1/feature-flags/:key`. */
export interface SetSettingBody {
  readonly value: unknown;
}

/** Schema of `SetSettingBody`; type and range of the value are the setting's own rule. */
export const setSettingSchema: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['value'],
  properties: { value: { description: 'The new value.' } },
};

/** Settings as administrators change them: what is answered has acted. */
export class SettingsAdmin {
  constructor(
    private readonly settings: SettingsService,
    private readonly dataPlane: Pick<DataPlaneHost, 'idle'>,
  ) {}

  /** Settings with a number. */
  numbers(): NumberSettingView[] {
    return this.settings.list().filter(isNumber);
  }

  /** Feature flags. */
  flags(): FlagSettingView[] {
    return this.settings.list().filter((view): view is FlagSettingView => !isNumber(view));
  }

  /** @throws GatewayError `SETTING_UNKNOWN` */
  number(key: string): NumberSettingView {
    return this.settings.get(checkNumberName(key)) as NumberSettingView;
  }

  /** @throws GatewayError `SETTING_UNKNOWN` */
  flag(key: string): FlagSettingView {
    return this.settings.get(checkFlagName(key)) as FlagSettingView;
  }

  /** @throws GatewayError `SETTING_UNKNOWN`, `SETTING_INVALID`, `LISTENER_BIND_FAILED` or `STORE_UNAVAILABLE` */
  async setNumber(key: string, value: unknown): Promise<NumberSettingView> {
    await this.#set(checkNumberName(key), value);
    return this.number(key);
  }

  /** @throws GatewayError `SETTING_UNKNOWN`, `SETTING_INVALID` or `STORE_UNAVAILABLE` */
  async setFlag(key: string, value: unknown): Promise<FlagSettingView> {
    await this.#set(checkFlagName(key), value);
    return this.flag(key);
  }

  /** @throws GatewayError `SETTING_UNKNOWN`, `LISTENER_BIND_FAILED` or `STORE_UNAVAILABLE` */
  async resetNumber(key: string): Promise<NumberSettingView> {
    await this.#reset(checkNumberName(key));
    return this.number(key);
  }

  /** @throws GatewayError `SETTING_UNKNOWN` or `STORE_UNAVAILABLE` */
  async resetFlag(key: string): Promise<FlagSettingView> {
    await this.#reset(checkFlagName(key));
    return this.flag(key);
  }

  async #set(key: SettingView['key'], value: unknown): Promise<void> {
    await this.settings.set(key, value);
    await this.dataPlane.idle();
  }

  async #reset(key: SettingView['key']): Promise<void> {
    await this.settings.reset(key);
    await this.dataPlane.idle();
  }
}

function isNumber(view: SettingView): view is NumberSettingView {
  return typeof view.value === 'number';
}
