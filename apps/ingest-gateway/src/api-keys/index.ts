export { ApiKeysService, type ApiKeyOptions, type CreatedApiKey, type Role } from './api-keys.service.js';
export {
  Authenticator,
  type AuthenticatorDependencies as AuthenticatorParts,
  type Principal,
} from './authenticator.js';
