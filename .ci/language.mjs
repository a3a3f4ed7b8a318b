// What the texts of this project avoid, each with what to write instead: idioms translated word by word, riddles, old
// names. Read by check-language.mjs.

/** Phrases in documentation, comments and strings. */
const IDIOMS = [
  ['anew', /\banew\b/, 'again, or a verb with re-'],
  ['mend', /\bmend(s|ed|ing)?\b/, 'fix'],
  ['as it came', /\bas (it|they) came\b/, 'unchanged'],
  ['for ever', /\bfor ever\b/, 'indefinitely'],
  ['goes before', /\bgoes before\b/, 'overrides'],
  ['without a word', /\bwithout a word\b/, 'silently'],
  ['is no more', /\b(is|are|was|were) no more\b(?! than)/, 'has exited, is gone'],
  ['worth nothing', /\bworth nothing\b/, 'invalid'],
  ['of its own', /\bof (its|their|his|your) own\b/, 'separate, or the noun'],
  ['in order', /\b(ends?|ended|stops?|stopped|closes?|closed) in order\b/, 'cleanly, gracefully'],
  ['a text', /\ba text\b/, 'a string'],
  ['whoever', /\bwhoever\b/, 'the one who acts, by name'],
  ['so many', /\b(so many|so much|as often)\b(?! as\b)/, 'the quantity with its unit'],
  ['is none that', /\b(is|are) none (of|that|which)\b/, 'what is right, or "is invalid"'],
  ['be it', /\bbe it\b/, 'a sentence for each case'],
  ['told how far', /\btold how far\b/, 'acknowledged'],
  ['held back', /\bh(o|e)lds? back\b/, 'backpressure; pause'],
  ['write out', /\b(writes?|written|writing) (it |them |all )?out\b/, 'drain'],
  ['stretch', /\bstretch(es)?\b/i, 'range (of sequence numbers)'],
  ['given up', /\bgiven up\b/, 'dropped'],
];

/** Names in code that the glossary has replaced. */
const OLD_NAMES = [
  ...['Settler', 'TakenUp', 'takeUpStream', 'StreamStretch', 'StreamMarks', 'mapAnew', 'letGo', 'takeBack'],
  ...['uncount', 'UndoStack', 'ReactorSlot', 'ReactorForks', 'TokenFacts', 'DataPlaneFacts', 'InstanceBoard'],
  ...['LetterContext', 'DiskRoom', 'NoRoom', 'SpoolPlace', 'afterRefusal', 'STAMP_FIELDS', 'stampOf'],
];

/** Rules for prose: documentation, comments, strings. */
export const PROSE_RULES = IDIOMS.map(([name, pattern, instead]) => ({ name, pattern, instead }));

/** Rules for whole files of code. */
export const CODE_RULES = OLD_NAMES.map((name) => ({
  name: `name ${name}`,
  pattern: new RegExp(`\\b${name}\\b`),
  instead: 'the name of the glossary',
}));
