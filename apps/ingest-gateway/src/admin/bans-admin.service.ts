import { Inject, Injectable } from '@nestjs/common';
import { GatewayError } from '@activity-gateway/pipeline/api';
import { parseAddressGroup } from '@activity-gateway/pipeline/host';
import { AuditService } from '../audit/index.js';
import { DataPlaneHost } from '../data-plane/index.js';
import { toBanView, type BanView } from './ban.view.js';
import type { Caller } from './http/caller.js';

/** Bans as administrators handle them. */
@Injectable()
export class BansAdmin {
  constructor(
    @Inject(DataPlaneHost) private readonly dataPlane: Pick<DataPlaneHost, 'status' | 'liftBan'>,
    @Inject(AuditService) private readonly audit: AuditService,
  ) {}

  /** Those that hold now. */
  list(): BanView[] {
    return this.dataPlane.status().bans.map(toBanView);
  }

  /**
   * Ends a ban or a slowing at once. An IPv4-mapped IPv6 address is its IPv4 address, any other IPv6 address its /64
   * network.
   * @throws GatewayError `IP_INVALID` or `BAN_UNKNOWN`
   */
  lift(caller: Caller, text: string): Promise<void> {
    return this.audit.change(caller, 'ban.lift', text, async (note) => {
      const ip = parseAddressGroup(text);
      if (ip === undefined) {
        throw new GatewayError(
          'IP_INVALID',
          'This is not an IP address.',
          'Use an IPv4 address, an IPv6 address, or a /64 network as the list of bans shows it.',
        );
      }
      note.target = ip;
      note.before = this.list().find((ban) => ban.ip === ip);
      if (!this.dataPlane.liftBan(ip)) {
        throw new GatewayError('BAN_UNKNOWN', `The address ${ip} is neither banned nor slowed.`);
      }
    });
  }
}
