import { Inject, Injectable } from '@nestjs/common';
import { AuditService } from '../audit/index.js';
import { DataPlaneHost } from '../data-plane/index.js';
import {
  checkFlagName,
  checkNumberName,
  type FlagSettingView,
  type NumberSettingView,
  type SettingName,
  SettingsService,
  type SettingView,
} from '../settings/index.js';
import type { Caller } from './http/caller.js';

/** Settings as administrators change them: what is answered has acted. */
@Injectable()
export class SettingsAdmin {
  constructor(
    @Inject(SettingsService) private readonly settings: SettingsService,
    @Inject(DataPlaneHost) private readonly dataPlane: Pick<DataPlaneHost, 'idle'>,
    @Inject(AuditService) private readonly audit: AuditService,
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
  async setNumber(caller: Caller, key: string, value: unknown): Promise<NumberSettingView> {
    const change = (name: SettingName): Promise<unknown> => this.settings.set(name, value);
    await this.#change(caller, 'setting.set', key, checkNumberName, change);
    return this.number(key);
  }

  /** @throws GatewayError `SETTING_UNKNOWN`, `SETTING_INVALID` or `STORE_UNAVAILABLE` */
  async setFlag(caller: Caller, key: string, value: unknown): Promise<FlagSettingView> {
    const change = (name: SettingName): Promise<unknown> => this.settings.set(name, value);
    await this.#change(caller, 'feature-flag.set', key, checkFlagName, change);
    return this.flag(key);
  }

  /** @throws GatewayError `SETTING_UNKNOWN`, `LISTENER_BIND_FAILED` or `STORE_UNAVAILABLE` */
  async resetNumber(caller: Caller, key: string): Promise<NumberSettingView> {
    const change = (name: SettingName): Promise<unknown> => this.settings.reset(name);
    await this.#change(caller, 'setting.reset', key, checkNumberName, change);
    return this.number(key);
  }

  /** @throws GatewayError `SETTING_UNKNOWN` or `STORE_UNAVAILABLE` */
  async resetFlag(caller: Caller, key: string): Promise<FlagSettingView> {
    const change = (name: SettingName): Promise<unknown> => this.settings.reset(name);
    await this.#change(caller, 'feature-flag.reset', key, checkFlagName, change);
    return this.flag(key);
  }

  #change(
    caller: Caller,
    action: string,
    key: string,
    check: (key: string) => SettingName,
    change: (name: SettingName) => Promise<unknown>,
  ): Promise<void> {
    return this.audit.change(caller, action, key, async (note) => {
      const name = check(key);
      note.before = this.settings.get(name).value;
      await change(name);
      note.after = this.settings.get(name).value;
      await this.dataPlane.idle();
    });
  }
}

function isNumber(view: SettingView): view is NumberSettingView {
  return typeof view.value === 'number';
}
