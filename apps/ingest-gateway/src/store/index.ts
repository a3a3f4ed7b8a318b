export { createEmbeddedStore } from './embedded/embedded-store.js';
export { acquireDirectoryLock, type DirectoryLock } from './directory-lock.js';
export { tokenState } from './token-state.js';
export type * from './repositories.js';
