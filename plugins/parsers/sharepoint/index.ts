export { sharepointParser } from './sharepoint.parser.js';
