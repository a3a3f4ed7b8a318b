export { EnrollmentLimits, ENROLLMENT_RATES } from './enrollment-limits.js';
export { EnrollmentService } from './enrollment.service.js';
export { TOKEN_LIFETIME_MS, tokenOptionsSchema, type TokenOptions } from './token-options.js';
export { TokensService, type EnrollmentToken, type TokenInfo } from './tokens.service.js';
