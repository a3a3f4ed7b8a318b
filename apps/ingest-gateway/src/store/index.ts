export { createEmbeddedStore } from './embedded/embedded-store.js';
export { acquireDirectoryLock, type DirectoryLock } from './directory-lock.js';
export { followStore, readIfThere, type StoreFollower, type StoreSnapshot } from './follow-store.js';
export { embeddedStoreDir, openStore, type OpenStoreOptions } from './open-store.js';
export { tokenState } from './token-state.js';
export type * from './repositories.js';
