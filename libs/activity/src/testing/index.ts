export * from './test-agent-services.js';
export * from './test-certificate.js';
