import { Inject, Injectable } from '@nestjs/common';
import { ApiKeysService } from '../api-keys/index.js';
import { AuditService } from '../audit/index.js';
import {
  toApiKeyOptions,
  toApiKeyView,
  toNewApiKeyView,
  type ApiKeyView,
  type CreateApiKeyBody,
  type NewApiKeyView,
} from './api-key.view.js';
import type { Caller } from './http/caller.js';

/** API keys as administrators handle them. */
@Injectable()
export class ApiKeysAdmin {
  constructor(
    @Inject(ApiKeysService) private readonly keys: ApiKeysService,
    @Inject(AuditService) private readonly audit: AuditService,
  ) {}

  /** @throws GatewayError `BAD_REQUEST` for an end that is no time or over already */
  create(caller: Caller, body: CreateApiKeyBody): Promise<NewApiKeyView> {
    return this.audit.change(caller, 'api-key.create', '', async (note) => {
      const created = await this.keys.create(toApiKeyOptions(body));
      note.target = created.stored.id;
      note.after = toApiKeyView(created.stored);
      return toNewApiKeyView(created);
    });
  }

  /** Oldest first, without their secrets. */
  async list(): Promise<ApiKeyView[]> {
    return (await this.keys.list()).map(toApiKeyView);
  }

  /** @throws GatewayError `API_KEY_UNKNOWN` */
  revoke(caller: Caller, id: string): Promise<void> {
    return this.audit.change(caller, 'api-key.revoke', id, async (note) => {
      note.before = toApiKeyView(await this.keys.revoke(id));
    });
  }
}
