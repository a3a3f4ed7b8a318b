export { leefParser } from './leef.parser.js';
