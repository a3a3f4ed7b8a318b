import { Inject, Injectable } from '@nestjs/common';
import { GatewayError } from '@activity-gateway/pipeline/api';
import { AuditService } from '../audit/index.js';
import { DataPlaneHost } from '../data-plane/index.js';
import { type TokenOptions, TokensService } from '../enrollment/index.js';
import type { Caller } from './http/caller.js';
import { toNewTokenView, toTokenView, type NewTokenView, type TokenView } from './token.view.js';

/** Enrollment tokens as administrators handle them. */
@Injectable()
export class TokensAdmin {
  constructor(
    @Inject(TokensService) private readonly tokens: TokensService,
    @Inject(DataPlaneHost) private readonly dataPlane: Pick<DataPlaneHost, 'status' | 'enabled'>,
    @Inject(AuditService) private readonly audit: AuditService,
  ) {}

  /** @throws GatewayError `INGESTION_DISABLED` or `LISTENER_NOT_READY`, because a token carries the server's key */
  create(caller: Caller, options: TokenOptions): Promise<NewTokenView> {
    return this.audit.change(caller, 'enrollment-token.create', '', async (note) => {
      const created = toNewTokenView(await this.tokens.create(this.#serverSpki(), options));
      const { token: _secret, ...facts } = created;
      note.target = created.id;
      note.after = { ...facts, keepOthers: options.keepOthers ?? false };
      return created;
    });
  }

  /** Newest first, without their secrets. */
  async list(): Promise<TokenView[]> {
    return (await this.tokens.list()).map(toTokenView);
  }

  /** @throws GatewayError `TOKEN_UNKNOWN` */
  revoke(caller: Caller, id: string): Promise<void> {
    return this.audit.change(caller, 'enrollment-token.revoke', id, async (note) => {
      note.before = toTokenView(await this.tokens.revoke(id));
    });
  }

  #serverSpki(): string {
    const { certificate, reason } = this.dataPlane.status();
    if (!this.dataPlane.enabled) {
      throw new GatewayError(
        'INGESTION_DISABLED',
        'No agent can enroll: enable_activitymonitor_ingestion is false.',
        'Set it to true first.',
      );
    }
    if (certificate !== undefined) return certificate.spkiHash;
    throw new GatewayError(
      'LISTENER_NOT_READY',
      `The listener has no server certificate${reason === undefined ? ' yet.' : `: ${reason}`}`,
      'GET /api/v1/nam-listener/status says more.',
    );
  }
}
