/** Operations by the lower-cased names and short codes that agents send (`docs/reference/events.md`, FileSystem). */
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

/** The table's name of an operation; one that is not known stays unchanged. */
export function operationName(sent: string): string {
  return nameOf(OPERATIONS, sent);
}

/** The table's name of an object type; one that is not known stays unchanged. */
export function objectTypeName(sent: string): string {
  return nameOf(OBJECT_TYPES, sent);
}

/** Names of the table, and which of them is meant by what is sent, in lower case. */
interface Names {
  /** Most agents send these, and to make lower case of two texts costs 0.08 us an event. */
  readonly own: readonly string[];
  readonly bySent: ReadonlyMap<string, string>;
}

function named(names: readonly (readonly [sent: string, name: string])[]): Names {
  const bySent = new Map(names);
  return { own: [...new Set(bySent.values())], bySent };
}

function nameOf({ own, bySent }: Names, sent: string): string {
  // Texts of other lengths are told apart at once; a map would have to make the hash of a text it has not seen yet.
  for (const name of own) if (name === sent) return name;
  return bySent.get(sent.toLowerCase()) ?? sent;
}
