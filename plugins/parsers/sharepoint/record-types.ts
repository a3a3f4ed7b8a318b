/** SharePoint record types of the Management Activity API, by number (`docs/reference/events.md`, SharePointOnline). */
const RECORD_TYPES: ReadonlyMap<string, string> = new Map([
  ['4', 'SharePoint'],
  ['6', 'SharePointFileOperation'],
  ['11', 'ComplianceDLPSharePoint'],
  ['14', 'SharePointSharingOperation'],
  ['33', 'ComplianceDLPSharePointClassification'],
  ['36', 'SharePointListOperation'],
  ['54', 'SharePointListItemOperation'],
  ['55', 'SharePointContentTypeOperation'],
  ['56', 'SharePointFieldOperation'],
]);

const MAX_DIGITS = 2;

/** The name of a record type sent as its number; a name, or an unknown number, stays as it is. */
export function recordTypeName(text: string): string {
  // Names are longer than numbers: they need not be looked up.
  return text.length > MAX_DIGITS ? text : (RECORD_TYPES.get(text) ?? text);
}
