import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Put } from '@nestjs/common';
import { listOf } from '../openapi/component.js';
import { Doc } from '../openapi/doc.decorator.js';
import type { FlagSettingView } from '../settings/index.js';
import { AjvPipe } from './http/ajv.pipe.js';
import { FromCaller, type Caller } from './http/caller.js';
import { exampleFlag, flagSchema, setSettingSchema, type SetSettingBody } from './setting.schema.js';
import { SettingsAdmin } from './settings-admin.service.js';

const tag = 'Feature flags';
const params = { key: { description: 'Name of the feature flag.', example: exampleFlag.key } };
const answer = {
  status: 200,
  description: 'The feature flag as it is now.',
  schema: flagSchema,
  example: exampleFlag,
};

/** The feature flags of the reference. A change has acted when it is answered. */
@Controller('api/v1/feature-flags')
export class FeatureFlagsController {
  constructor(@Inject(SettingsAdmin) private readonly settings: SettingsAdmin) {}

  /** In the order of the reference. */
  @Doc({
    tag,
    access: 'reader',
    summary: 'List feature flags',
    answer: {
      status: 200,
      description: 'All feature flags.',
      schema: listOf(flagSchema),
      example: [exampleFlag],
    },
  })
  @Get()
  list(): FlagSettingView[] {
    return this.settings.flags();
  }

  /** One of them. */
  @Doc({ tag, access: 'reader', summary: 'Show a feature flag', params, answer, errors: ['SETTING_UNKNOWN'] })
  @Get(':key')
  get(@Param('key') key: string): FlagSettingView {
    return this.settings.flag(key);
  }

  /** Sets a value. */
  @Doc({
    tag,
    access: 'admin',
    summary: 'Change a feature flag',
    description:
      'Off: the port is closed, and so are the connections of agents; what the gateway holds is still written. On: agents are served again.',
    params,
    body: { schema: setSettingSchema, example: { value: false } },
    answer,
    errors: ['SETTING_UNKNOWN', 'SETTING_INVALID'],
  })
  @Put(':key')
  set(
    @FromCaller() caller: Caller,
    @Param('key') key: string,
    @Body(new AjvPipe<SetSettingBody>(setSettingSchema, 'body')) { value }: SetSettingBody,
  ): Promise<FlagSettingView> {
    return this.settings.setFlag(caller, key, value);
  }

  /** Takes the value of the API away; gateway.yaml or the default holds again. */
  @Doc({
    tag,
    access: 'admin',
    summary: 'Reset a feature flag',
    description: 'What gateway.yaml says, or the default, holds again.',
    params,
    answer,
    errors: ['SETTING_UNKNOWN'],
  })
  @Delete(':key')
  @HttpCode(200)
  reset(@FromCaller() caller: Caller, @Param('key') key: string): Promise<FlagSettingView> {
    return this.settings.resetFlag(caller, key);
  }
}
