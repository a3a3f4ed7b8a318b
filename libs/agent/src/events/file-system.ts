import { booleanText, numberText, weighted } from './text.js';
import type { World } from './world.js';
import { PROCESSES } from './words.js';

interface Operation {
  /** The name, and the ways that it is written now and then. */
  readonly name: string;
  readonly variants: readonly string[];
  readonly detail: (world: World, host: string) => string;
}

const none = (): string => '';
const operation = (name: string, variants: string[], detail: Operation['detail'] = none): Operation => ({
  name,
  variants,
  detail,
});

const OPERATIONS = weighted<Operation>([
  [operation('Read', ['Rea'], transferred), 26],
  [operation('Update', ['Upd'], transferred), 12],
  [operation('Create', ['Add'], sized), 8],
  [operation('Delete', ['Del']), 5],
  [operation('Rename', ['Ren'], renamed), 5],
  [operation('PermissionChange', ['Per', 'Access Rights Change'], permissions), 5],
  [operation('ShareChange', ['SHARE']), 1],
  [operation('Link', ['LINK']), 1],
]);
const OBJECT_TYPES = weighted([
  ['File', 14],
  ['Folder', 3],
  ['FILE', 1],
  ['FOLD', 1],
  ['Unknown', 1],
]);
const PROTOCOLS = weighted([
  ['"Protocol":"CIFS","ProtocolVersion":"3.1.1"', 10],
  ['"Protocol":"CIFS"', 3],
  ['"Protocol":"NFS","ProtocolVersion":"4.1"', 3],
  ['"Protocol":"VSS"', 1],
  ['"Protocol":"HTTP"', 1],
]);
const TAGS = weighted([
  ['', 12],
  [',"Tags":["PII","GDPR"]', 1],
  [',"Tags":"PII, Finance"', 1],
  [',"GroupId":"g-17","GroupName":"Finance Servers"', 1],
  // A key that no table has a column for.
  [',"PolicyName":"All activity"', 1],
]);

/** An event of a file server (`docs/reference/events.md`, FileSystem). */
export function fileSystemEvent(world: World): string {
  const { random, pools } = world;
  const path = random.pick(pools.paths);
  const host = random.pick(pools.hosts);
  const { name, variants, detail } = random.pick(OPERATIONS);
  const written = random.oneIn(12) ? random.pick(variants) : name;
  const shadow = random.oneIn(100) ? 'VSS:' : '';
  return `${head(world, host)},"Operation":"${written}","ObjectType":"${random.pick(OBJECT_TYPES)}","Path":"${shadow}${path.local}"${detail(world, host)},${actor(world)},${random.pick(PROTOCOLS)},"ShareName":"${path.share}","UncPath":"\\\\\\\\${host}\\\\${path.unc}"${outcome(world)}${random.pick(TAGS)}}`;
}

function head({ random, times, agentHost, at }: World, host: string): string {
  return `{"TimeLogged":"${times.untidy(random, at)}","ActivityType":"FileSystem","AgentHost":"${agentHost}","Host":"${host}"`;
}

/** Over the network with an address, or on the server itself with a process. */
function actor({ random, pools }: World): string {
  const user = random.pick(pools.users);
  const sid = `"UserSid":"${user.sid}"`;
  const who = random.oneIn(20) ? sid : `"UserName":"${user.account}",${sid}`;
  if (!random.oneIn(8)) return `${who},"ClientIP":"${random.pick(pools.clientIps)}"`;
  return `${who},"ProcessName":"${random.pick(PROCESSES)}","ProcessId":${numberText(random, 4 + random.int(30_000))}`;
}

function outcome({ random }: World): string {
  const success = !random.oneIn(40);
  const blocked = !success && random.oneIn(3) ? `,"Blocked":${booleanText(random, true)}` : '';
  return `,"Success":${booleanText(random, success)}${blocked}`;
}

function transferred({ random }: World): string {
  const size = random.int(2_000_000);
  return `,"FileSize":${numberText(random, size)},"BytesTransferred":${numberText(random, random.int(size + 1))}`;
}

function sized({ random }: World): string {
  return `,"FileSize":${numberText(random, random.int(2_000_000))}`;
}

function renamed({ random, pools }: World, host: string): string {
  const target = random.pick(pools.paths);
  return `,"NewPath":"${target.local}","NewUncPath":"\\\\\\\\${host}\\\\${target.unc}"`;
}

function permissions({ random, pools }: World): string {
  const kind = random.pick(['Dac', 'Dac', 'Dac', 'Own', 'Sac', 'Att']);
  if (kind === 'Att') return ',"SubOperation":"Att","OldValue":"0x20","NewValue":"0x22"';
  return `,"SubOperation":"${kind}","OldValue":"${random.pick(pools.sddls)}","NewValue":"${random.pick(pools.sddls)}"`;
}
