import { Controller, Delete, Get, HttpCode, Inject, Param } from '@nestjs/common';
import { listOf } from '../openapi/component.js';
import { Doc } from '../openapi/doc.decorator.js';
import { banViewSchema, exampleBan, type BanView } from './ban.view.js';
import { BansAdmin } from './bans-admin.service.js';
import { FromCaller, type Caller } from './http/caller.js';

const tag = 'Bans';

/** Source addresses that are refused or slowed for a while. */
@Controller('api/v1/nam-listener/bans')
export class BansController {
  constructor(@Inject(BansAdmin) private readonly bans: BansAdmin) {}

  /** Those that hold now. */
  @Doc({
    tag,
    access: 'reader',
    summary: 'List bans',
    description:
      'Bans live in memory, last activitymonitor_enrollment_ban_duration_seconds and end with the gateway. An address from which an agent was identified in the last hour is slowed instead of banned.',
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
        description:
          'IPv4 or IPv6 address, or a /64 network as the list shows it. An IPv4-mapped IPv6 address is its IPv4 address; any other IPv6 address stands for its /64 network.',
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
