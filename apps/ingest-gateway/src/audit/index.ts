export {
  AuditService,
  KEPT_ENTRIES,
  type AuditActor,
  type AuditEvent,
  type AuditNote,
} from './audit.service.js';
