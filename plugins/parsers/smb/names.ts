/** Operations by the lower-cased names and short codes that agents send (`docs/EVENTS.md`, FileSystem). */
const OPERATIONS: ReadonlyMap<string, string> = new Map([
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

const OBJECT_TYPES: ReadonlyMap<string, string> = new Map([
  ['file', 'File'],
  ['folder', 'Folder'],
  ['fold', 'Folder'],
  ['unknown', 'Unknown'],
  ['unk', 'Unknown'],
]);

/** The table's name of an operation; one that is not known stays as it came. */
export function operationName(sent: string): string {
  return OPERATIONS.get(sent.toLowerCase()) ?? sent;
}

/** The table's name of an object type; one that is not known stays as it came. */
export function objectTypeName(sent: string): string {
  return OBJECT_TYPES.get(sent.toLowerCase()) ?? sent;
}
