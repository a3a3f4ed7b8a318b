/** Adds a key or an index to a JSON pointer (RFC 6901). */
export function joinPointer(pointer: string, part: string | number): string {
  return `${pointer}/${String(part).replace(/~/g, '~0').replace(/\//g, '~1')}`;
}

/** The parts of a JSON pointer. */
export function pointerParts(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replace(/~1/g, '/').replace(/~0/g, '~'));
}

/** The pointer without its last part; the root stays the root. */
export function parentPointer(pointer: string): string {
  return pointer.slice(0, Math.max(pointer.lastIndexOf('/'), 0));
}

/** A pointer as people write paths: `steps[0].with.max_event_age`. */
export function pathOf(pointer: string): string {
  return pointerParts(pointer)
    .map((part) => (/^\d+$/.test(part) ? `[${part}]` : `.${part}`))
    .join('')
    .replace(/^\./, '');
}

/** The place at the beginning of a message. */
export function here(pointer: string): string {
  return pointer === '' ? 'The file' : `\`${pathOf(pointer)}\``;
}
