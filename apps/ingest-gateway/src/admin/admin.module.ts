import { Module } from '@nestjs/common';
import { AgentsModule } from '../agents/agents.module.js';
import { ApiKeysModule } from '../api-keys/api-keys.module.js';
import { AuditModule } from '../audit/audit.module.js';
import { DataPlaneModule } from '../data-plane/data-plane.module.js';
import { EnrollmentModule } from '../enrollment/enrollment.module.js';
import { SettingsModule } from '../settings/settings.module.js';
import { ActivityController } from './activity.controller.js';
import { ApiKeysAdmin } from './api-keys-admin.service.js';
import { BansAdmin } from './bans-admin.service.js';
import { CertificateAdmin } from './certificate-admin.service.js';
import { NamListenerService } from './nam-listener.service.js';
import { RetentionAdmin } from './retention-admin.service.js';
import { SettingsAdmin } from './settings-admin.service.js';
import { TokensAdmin } from './tokens-admin.service.js';
import { ApiKeysController } from './api-keys.controller.js';
import { AuditController } from './audit.controller.js';
import { BansController } from './bans.controller.js';
import { CertificateController } from './certificate.controller.js';
import { FeatureFlagsController } from './feature-flags.controller.js';
import { NamListenerController } from './nam-listener.controller.js';
import { RetentionController } from './retention.controller.js';
import { SettingsController } from './settings.controller.js';
import { TokensController } from './tokens.controller.js';

/** The REST API for administrators. */
@Module({
  imports: [SettingsModule, AgentsModule, EnrollmentModule, DataPlaneModule, ApiKeysModule, AuditModule],
  controllers: [
    NamListenerController,
    TokensController,
    CertificateController,
    BansController,
    SettingsController,
    FeatureFlagsController,
    ApiKeysController,
    AuditController,
    RetentionController,
    ActivityController,
  ],
  providers: [
    NamListenerService,
    TokensAdmin,
    CertificateAdmin,
    BansAdmin,
    SettingsAdmin,
    RetentionAdmin,
    ApiKeysAdmin,
  ],
})
export class AdminModule {}
