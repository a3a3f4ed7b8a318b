import { Module } from '@nestjs/common';
import { ApiKeysService } from './api-keys.service.js';

/** Keys for the REST API. */
@Module({ providers: [ApiKeysService], exports: [ApiKeysService] })
export class ApiKeysModule {}
