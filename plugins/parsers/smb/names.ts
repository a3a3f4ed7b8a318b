/** Operations by the lower-cased names and short codes that agents send (`docs/EVENTS.md`, FileSystem). */
const OPERATIONS = named([
  ['read', 'Read'],
  ['rea', 'Read'],
  ['create', 'Create'],
  ['add', 'Create'],
  ['update', 'Update'],
  ['upd', 'Update'],
  ['delete', 'Delete'],
  ['del', 'Delete'],
  ['rename', 'Rename'],
  ['ren', 'Rename'],
  ['permissionchange', 'PermissionChange'],
  ['per', 'PermissionChange'],
  ['access rights change', 'PermissionChange'],
  ['sharechange', 'ShareChange'],
  ['share', 'ShareChange'],
  ['link', 'Link'],
]);

const OBJECT_TYPES = named([
  ['file', 'File'],
  ['folder', 'Folder'],
  ['fold', 'Folder'],
  ['unknown', 'Unknown'],
  ['unk', 'Unknown'],
]);

/** The table's name of an operation; one that is not known stays as it came. */
export function operationName(sent: string): string {
  return nameOf(OPERATIONS, sent);
}

/** The table's name of an object type; one that is not known stays as it came. */
export function objectTypeName(sent: string): string {
  return nameOf(OBJECT_TYPES, sent);
}

/** With the table's names themselves: most agents send these, and to make lower case of two texts costs 0.08 us an event. */
function named(names: readonly (readonly [sent: string, name: string])[]): ReadonlyMap<string, string> {
  return new Map([...names, ...names.map(([, name]) => [name, name] as const)]);
}

function nameOf(names: ReadonlyMap<string, string>, sent: string): string {
  return names.get(sent) ?? names.get(sent.toLowerCase()) ?? sent;
}
