export { createEmbeddedStore } from './embedded/embedded-store.js';
export { acquireDirectoryLock, type DirectoryLock } from './directory-lock.js';
export type * from './repositories.js';
