import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Put } from '@nestjs/common';
import type { FlagSettingView, NumberSettingView } from '../settings/index.js';
import { AjvPipe } from './http/ajv.pipe.js';
import { SettingsAdmin, setSettingSchema, type SetSettingBody } from './settings-admin.service.js';

const body = (): AjvPipe<SetSettingBody> => new AjvPipe<SetSettingBody>(setSettingSchema, 'body');

/** The settings of the reference. A change has acted when it is answered. */
@Controller('api/v1/settings')
export class SettingsController {
  constructor(@Inject(SettingsAdmin) private readonly settings: SettingsAdmin) {}

  /** In the order of the reference. */
  @Get()
  list(): NumberSettingView[] {
    return this.settings.numbers();
  }

  /** One of them. */
  @Get(':key')
  get(@Param('key') key: string): NumberSettingView {
    return this.settings.number(key);
  }

  /** Sets a value. */
  @Put(':key')
  set(@Param('key') key: string, @Body(body()) { value }: SetSettingBody): Promise<NumberSettingView> {
    return this.settings.setNumber(key, value);
  }

  /** Takes the value of the API away; gateway.yaml or the default holds again. */
  @Delete(':key')
  @HttpCode(200)
  reset(@Param('key') key: string): Promise<NumberSettingView> {
    return this.settings.resetNumber(key);
  }
}

/** The feature flags of the reference. A change has acted when it is answered. */
@Controller('api/v1/feature-flags')
export class FeatureFlagsController {
  constructor(@Inject(SettingsAdmin) private readonly settings: SettingsAdmin) {}

  /** All of them. */
  @Get()
  list(): FlagSettingView[] {
    return this.settings.flags();
  }

  /** One of them. */
  @Get(':key')
  get(@Param('key') key: string): FlagSettingView {
    return this.settings.flag(key);
  }

  /** Switches a flag. */
  @Put(':key')
  set(@Param('key') key: string, @Body(body()) { value }: SetSettingBody): Promise<FlagSettingView> {
    return this.settings.setFlag(key, value);
  }

  /** Takes the value of the API away; gateway.yaml or the default holds again. */
  @Delete(':key')
  @HttpCode(200)
  reset(@Param('key') key: string): Promise<FlagSettingView> {
    return this.settings.resetFlag(key);
  }
}
