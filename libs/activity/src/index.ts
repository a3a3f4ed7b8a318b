export * from './agent-services.js';
export * from './read-message.js';
export * from './office365.js';
export * from './spki.js';
