import { Controller, Delete, Get, HttpCode, Inject, Param } from '@nestjs/common';
import { listOf } from '../openapi/component.js';
import { Doc } from '../openapi/doc.decorator.js';
import { banViewSchema, exampleBan, type BanView } from './ban.view.js';
import { BansAdmin } from './bans-admin.service.js';
import { FromCaller, type Caller } from './http/caller.js';

const tag = 'Bans';

/** Source addresses that are refused for a while. */
@Controller('api/v1/nam-listener/bans')
export class BansController {
  constructor(@Inject(BansAdmin) private readonly bans: BansAdmin) {}

  /** Those that hold now. */
  @Doc({
    tag,
    access: 'reader',
    summary: 'List bans',
    description:
      'Bans live in memory, last activitymonitor_enrollment_ban_duration_seconds and end with the gateway.',
    answer: { status: 200, description: 'The bans.', schema: listOf(banViewSchema), example: [exampleBan] },
  })
  @Get()
  list(): BanView[] {
    return this.bans.list();
  }

  /** Ends one at once. */
  @Doc({
    tag,
    access: 'admin',
    summary: 'Lift a ban',
    params: {
      ip: {
        description: 'IPv4 or IPv6 address; an IPv4-mapped IPv6 address is its IPv4 address.',
        example: exampleBan.ip,
      },
    },
    answer: { status: 204, description: 'The address may connect again.' },
    errors: ['IP_INVALID', 'BAN_UNKNOWN'],
  })
  @Delete(':ip')
  @HttpCode(204)
  lift(@FromCaller() caller: Caller, @Param('ip') ip: string): Promise<void> {
    return this.bans.lift(caller, ip);
  }
}
