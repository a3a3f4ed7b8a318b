export { isHostname } from './agent-identity.js';
export { AgentsService } from './agents.service.js';
export { SerialQueue } from './serial-queue.js';
