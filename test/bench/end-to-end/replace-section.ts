const BEGIN = '<!-- results: written by test/bench/report.ts -->';
const END = '<!-- end of results -->';

/**
 * Puts a text between the marks of a document.
 * @throws Error when a mark is missing
 */
export function replaceSection(document: string, text: string): string {
  const begin = document.indexOf(BEGIN);
  const end = document.indexOf(END, begin);
  if (begin === -1 || end === -1) throw new Error(`The document lacks "${BEGIN}" or, after it, "${END}".`);
  return `${document.slice(0, begin + BEGIN.length)}\n${text.trim()}\n${document.slice(end)}`;
}
