import type { Provider } from '@nestjs/common';
import { AgentsService } from '../agents/index.js';
import { ApiKeysService } from '../api-keys/index.js';
import { AuditService } from '../audit/index.js';
import { DataPlaneHost } from '../data-plane/index.js';
import { TokensService } from '../enrollment/index.js';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import { SettingsService } from '../settings/index.js';
import { ApiKeysAdmin } from './api-keys-admin.service.js';
import { BansAdmin } from './bans-admin.service.js';
import { CertificateAdmin } from './certificate-admin.service.js';
import { NamListenerService } from './nam-listener.service.js';
import { RetentionAdmin } from './retention-admin.service.js';
import { SettingsAdmin } from './settings-admin.service.js';
import { TokensAdmin } from './tokens-admin.service.js';

/** What the controllers of the administration ask. */
export const adminProviders: Provider[] = [
  {
    provide: NamListenerService,
    inject: [DEPENDENCIES, SettingsService, AgentsService, DataPlaneHost, AuditService],
    useFactory: (
      { identity, clickhouse }: GatewayDependencies,
      settings: SettingsService,
      agents: AgentsService,
      dataPlane: DataPlaneHost,
      audit: AuditService,
    ) => new NamListenerService({ gateway: identity, clickhouse, settings, agents, dataPlane, audit }),
  },
  {
    provide: TokensAdmin,
    inject: [TokensService, DataPlaneHost, AuditService],
    useFactory: (tokens: TokensService, dataPlane: DataPlaneHost, audit: AuditService) =>
      new TokensAdmin(tokens, dataPlane, audit),
  },
  {
    provide: CertificateAdmin,
    inject: [DataPlaneHost, TokensService, AuditService],
    useFactory: (dataPlane: DataPlaneHost, tokens: TokensService, audit: AuditService) =>
      new CertificateAdmin(dataPlane, tokens, audit),
  },
  {
    provide: BansAdmin,
    inject: [DataPlaneHost, AuditService],
    useFactory: (dataPlane: DataPlaneHost, audit: AuditService) => new BansAdmin(dataPlane, audit),
  },
  {
    provide: SettingsAdmin,
    inject: [SettingsService, DataPlaneHost, AuditService],
    useFactory: (settings: SettingsService, dataPlane: DataPlaneHost, audit: AuditService) =>
      new SettingsAdmin(settings, dataPlane, audit),
  },
  {
    provide: RetentionAdmin,
    inject: [DEPENDENCIES, AuditService],
    useFactory: ({ clickhouse }: GatewayDependencies, audit: AuditService) =>
      new RetentionAdmin(clickhouse, audit),
  },
  {
    provide: ApiKeysAdmin,
    inject: [ApiKeysService, AuditService],
    useFactory: (keys: ApiKeysService, audit: AuditService) => new ApiKeysAdmin(keys, audit),
  },
];
