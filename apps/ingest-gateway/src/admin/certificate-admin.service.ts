import { Inject, Injectable } from '@nestjs/common';
import { AuditService } from '../audit/index.js';
import { DataPlaneHost } from '../data-plane/index.js';
import { TokensService } from '../enrollment/index.js';
import { component } from '../openapi/component.js';
import type { Caller } from './http/caller.js';

/** What a confirmation of another server key has done. */
export interface ConfirmedKeyView {
  /** SPKI hash of the key in use. */
  readonly spkiHash: string;
  /** SPKI hash of the key that agents knew before. */
  readonly previousSpkiHash: string;
  /** Ids of enrollment tokens that named the previous key and are revoked. */
  readonly revokedTokens: readonly string[];
}

/** Schema of `ConfirmedKeyView`. */
export const confirmedKeySchema = component('ConfirmedServerKey', {
  type: 'object',
  required: ['spkiHash', 'previousSpkiHash', 'revokedTokens'],
  properties: {
    spkiHash: { type: 'string', description: 'SPKI hash of the key in use.' },
    previousSpkiHash: { type: 'string', description: 'SPKI hash of the key that agents knew before.' },
    revokedTokens: {
      type: 'array',
      items: { type: 'string' },
      description: 'Ids of tokens that named that key.',
    },
  },
});

/** The server's certificate as administrators handle it. */
@Injectable()
export class CertificateAdmin {
  constructor(
    @Inject(DataPlaneHost) private readonly dataPlane: Pick<DataPlaneHost, 'confirmServerKey' | 'status'>,
    @Inject(TokensService) private readonly tokens: Pick<TokensService, 'revokeForServerKey'>,
    @Inject(AuditService) private readonly audit: AuditService,
  ) {}

  /** @throws GatewayError `CERTIFICATE_UNCHANGED`, `LISTENER_NOT_READY` */
  confirm(caller: Caller): Promise<ConfirmedKeyView> {
    return this.audit.change(caller, 'certificate.confirm', '', async (note) => {
      // Tokens first: once the key is confirmed, a request that is made again has nothing to confirm and revokes nothing.
      const pinned = this.dataPlane.status().certificate?.keyChange?.from;
      const revokedTokens = pinned === undefined ? [] : await this.tokens.revokeForServerKey(pinned);
      note.after = { revokedTokens };
      note.done = revokedTokens.length > 0;
      const { from, to } = await this.dataPlane.confirmServerKey();
      note.target = to;
      note.before = { spkiHash: from };
      note.after = { spkiHash: to, revokedTokens };
      return { spkiHash: to, previousSpkiHash: from, revokedTokens };
    });
  }
}
