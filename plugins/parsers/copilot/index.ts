export { copilotParser } from './copilot.parser.js';
