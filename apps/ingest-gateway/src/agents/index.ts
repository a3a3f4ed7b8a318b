export { isHostname } from './agent-identity.js';
export { AgentsService } from './agents.service.js';
export { SerialQueue } from './serial-queue.js';
export type { AgentTotals } from './agent-traffic.js';
