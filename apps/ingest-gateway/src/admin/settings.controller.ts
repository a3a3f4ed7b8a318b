import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Put } from '@nestjs/common';
import { listOf } from '../openapi/component.js';
import { Doc } from '../openapi/doc.decorator.js';
import type { NumberSettingView } from '../settings/index.js';
import { AjvPipe } from './http/ajv.pipe.js';
import { FromCaller, type Caller } from './http/caller.js';
import { exampleSetting, settingSchema, setSettingSchema, type SetSettingBody } from './setting.schema.js';
import { SettingsAdmin } from './settings-admin.service.js';

const tag = 'Settings';
const params = { key: { description: 'Name of the setting.', example: exampleSetting.key } };
const answer = {
  status: 200,
  description: 'The setting as it is now.',
  schema: settingSchema,
  example: exampleSetting,
};

/** The settings of the reference. A change has acted when it is answered. */
@Controller('api/v1/settings')
export class SettingsController {
  constructor(@Inject(SettingsAdmin) private readonly settings: SettingsAdmin) {}

  /** In the order of the reference. */
  @Doc({
    tag,
    access: 'reader',
    summary: 'List settings',
    answer: {
      status: 200,
      description: 'All settings.',
      schema: listOf(settingSchema),
      example: [exampleSetting],
    },
  })
  @Get()
  list(): NumberSettingView[] {
    return this.settings.numbers();
  }

  /** One of them. */
  @Doc({ tag, access: 'reader', summary: 'Show a setting', params, answer, errors: ['SETTING_UNKNOWN'] })
  @Get(':key')
  get(@Param('key') key: string): NumberSettingView {
    return this.settings.number(key);
  }

  /** Sets a value. */
  @Doc({
    tag,
    access: 'admin',
    summary: 'Change a setting',
    description:
      'A value of another type or outside the range changes nothing. A new activitymonitor_tcp_port is bound before the old one is let go; one that cannot be bound changes nothing either.',
    params,
    body: { schema: setSettingSchema, example: { value: 200 } },
    answer,
    errors: ['SETTING_UNKNOWN', 'SETTING_INVALID', 'LISTENER_BIND_FAILED'],
  })
  @Put(':key')
  set(
    @FromCaller() caller: Caller,
    @Param('key') key: string,
    @Body(new AjvPipe<SetSettingBody>(setSettingSchema, 'body')) { value }: SetSettingBody,
  ): Promise<NumberSettingView> {
    return this.settings.setNumber(caller, key, value);
  }

  /** Takes the value of the API away; gateway.yaml or the default holds again. */
  @Doc({
    tag,
    access: 'admin',
    summary: 'Reset a setting',
    description: 'What gateway.yaml says, or the default, holds again.',
    params,
    answer,
    errors: ['SETTING_UNKNOWN', 'LISTENER_BIND_FAILED'],
  })
  @Delete(':key')
  @HttpCode(200)
  reset(@FromCaller() caller: Caller, @Param('key') key: string): Promise<NumberSettingView> {
    return this.settings.resetNumber(caller, key);
  }
}
