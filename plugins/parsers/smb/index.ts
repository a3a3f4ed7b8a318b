export { smbParser } from './smb.parser.js';
