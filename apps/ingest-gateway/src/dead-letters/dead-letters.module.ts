import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { DataPlaneModule } from '../data-plane/data-plane.module.js';
import { DeadLetterWatch } from './dead-letter-watch.js';
import { DeadLettersController } from './dead-letters.controller.js';
import { DeadLettersService } from './dead-letters.service.js';

/** Dead letters: list, export, replay, and an eye on their size. */
@Module({
  imports: [DataPlaneModule, AuditModule],
  controllers: [DeadLettersController],
  providers: [DeadLettersService, DeadLetterWatch],
  exports: [DeadLetterWatch],
})
export class DeadLettersModule {}
