export { ApiKeysService, type ApiKeyOptions, type CreatedApiKey, type Role } from './api-keys.service.js';
export { Authenticator, type AuthenticatorParts, type Principal } from './authenticator.js';
