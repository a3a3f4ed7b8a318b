import type { ErrorCode } from 'yaml';
import type { Finding } from './problems.js';

/** What is wrong and what to do, by the YAML parser's code. Its own texts may quote the file, and with it a secret. */
const EXPLANATIONS: Partial<Record<ErrorCode, readonly [message: string, hint: string]>> = {
  TAB_AS_INDENT: ['A tab is used to indent.', 'Use spaces.'],
  BAD_INDENT: ['This line is indented in a way that fits nothing above it.', 'Align it with its neighbours.'],
  BLOCK_AS_IMPLICIT_KEY: [
    'A second colon follows on this line.',
    'Put a value that contains ": " into quotes.',
  ],
  BAD_SCALAR_START: ['A value cannot begin with this character.', 'Put the value into quotes.'],
  BAD_DQ_ESCAPE: [
    'This escape is not known inside double quotes.',
    'Write \\\\ for a backslash, or use single quotes.',
  ],
  MISSING_CHAR: [
    'A quote, bracket, brace or colon is missing.',
    'Close what was opened; end a key with a colon.',
  ],
  MULTIPLE_DOCS: [
    'The file has several documents.',
    'Keep one; remove the line "---" that begins the second.',
  ],
  BAD_ALIAS: ['This alias names no anchor above it.', 'Define the anchor first (&name), or quote a "*".'],
  TAG_RESOLVE_FAILED: ['This tag is not known.', 'Remove it, or quote a value that begins with "!".'],
  BLOCK_IN_FLOW: ['A block stands inside brackets or braces.', 'Write all of it in one style.'],
  NON_STRING_KEY: ['A key has to be text.', 'Write a plain name before the colon.'],
  RESOURCE_EXHAUSTION: ['The file is nested too deep.', 'A configuration needs a few levels only.'],
};

/**
 * Says a syntax error in our words.
 * @param before the file up to the error
 */
export function syntaxFinding(code: ErrorCode, before: string): Finding {
  if (code === 'DUPLICATE_KEY') {
    return {
      code: 'CONFIG_DUPLICATE_KEY',
      message: 'This key is given twice.',
      hint: 'Keep one; the first one was checked.',
    };
  }
  if (before.endsWith('$')) {
    return {
      code: 'CONFIG_SYNTAX',
      message: 'A variable stands without quotes inside braces or brackets.',
      hint: 'Put it into quotes: "${NAME}".',
    };
  }
  const [message, hint] = EXPLANATIONS[code] ?? ['This is not valid YAML.', 'Check the lines around it.'];
  return { code: 'CONFIG_SYNTAX', message, hint };
}
