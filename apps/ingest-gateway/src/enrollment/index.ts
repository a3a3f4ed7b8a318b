export { sameHash } from './enrollment-code.js';
export { EnrollmentService, TOKEN_LIFETIME_MS, type EnrollmentToken } from './enrollment.service.js';
