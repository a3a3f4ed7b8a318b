export * from './connection-feed.js';
export { createListen, type ListenerParts } from './listener.js';
