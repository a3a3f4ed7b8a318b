import { weighted } from './text.js';
import type { MakeLine, World } from './world.js';

const TAB = '\t';
const WEB_ACTIONS = ['Permit', 'Deny', 'Reset'];
const FILE_ACTIONS = weighted([
  ['Read', 6],
  ['Create', 3],
  ['Update', 3],
  ['Delete', 1],
]);

const KINDS = weighted<MakeLine>([
  [fileServerLine, 6],
  [renameLine, 2],
  [firewallLine, 4],
  [webGatewayLine, 2],
]);

/** A LEEF event (`docs/reference/events.md`, LEEF): a raw line mostly with a syslog header, or one wrapped in JSON. */
export function leefEvent(world: World): string {
  const { random, agentHost } = world;
  const line = random.pick(KINDS)(world);
  if (!random.oneIn(6)) return line;
  return `{"ActivityType":"Leef","AgentHost":"${agentHost}","Message":${JSON.stringify(line)}}`;
}

/** `2026-11-20 09:15:02.187`. */
function sqlTime({ times, at }: World): string {
  return `${times.second(at).replace('T', ' ')}.${times.millis(at)}`;
}

/** RFC 3164 without PRI, as file servers' agents send it. */
function bareHeader({ random, times, pools, at }: World): string {
  return `${times.syslog(at)} ${random.pick(pools.hosts)} `;
}

function fileServerLine(world: World): string {
  const { random, pools } = world;
  const action = random.pick(FILE_ACTIONS);
  const path = random.pick(pools.paths).rawLocal;
  return `${bareHeader(world)}LEEF:1.0|STEALTHbits|StealthINTERCEPT|7.1|${action}TrueFalse|${fileAttributes(world, action)}${TAB}DistinguishedName=${path}`;
}

function renameLine(world: World): string {
  const { random, pools } = world;
  const from = random.pick(pools.paths).rawLocal;
  const to = random.pick(pools.paths).rawLocal;
  return `${bareHeader(world)}LEEF:1.0|STEALTHbits|StealthINTERCEPT|7.1|RenameTrueFalse|${fileAttributes(world, 'Rename')}${TAB}DistinguishedName=${from}${TAB}AttrName=Filename${TAB}AttrOldValue=${from}${TAB}AttrNewValue=${to}`;
}

function fileAttributes(world: World, action: string): string {
  const { random, pools } = world;
  const address = `10.1.${random.int(256)}.${1 + random.int(254)}`;
  return `devTime=${sqlTime(world)}${TAB}devTimeFormat=yyyy-MM-dd HH:mm:ss.SSS${TAB}usrName=${random.pick(pools.users).rawAccount}${TAB}src=${address}${TAB}dst=10.0.0.20${TAB}domain=CORP${TAB}Success=True${TAB}Blocked=False${TAB}Operation=${action}`;
}

/** LEEF 1.0 after RFC 3164 with PRI; the time as epoch or in LEEF's own format. */
function firewallLine(world: World): string {
  const { random, times, at } = world;
  const devTime = random.oneIn(2) ? `${at}` : times.leef(at);
  const action = random.pick(WEB_ACTIONS);
  return `<${random.oneIn(2) ? 13 : 134}>${times.syslog(at)} fw-${1 + random.int(4)} LEEF:1.0|Contoso|Edge Firewall|9.4|${action}|cat=Firewall${TAB}devTime=${devTime}${TAB}sev=${1 + random.int(10)}${TAB}src=10.2.${random.int(256)}.7${TAB}srcPort=${1024 + random.int(60_000)}${TAB}dst=203.0.113.${1 + random.int(254)}${TAB}dstPort=443${TAB}proto=TCP${TAB}policy=outbound|default=${action}`;
}

/** LEEF 2.0 with a delimiter of its own after RFC 5424. */
function webGatewayLine(world: World): string {
  const { random, times, pools, at } = world;
  const [delimiter, sign] = random.pick([
    ['^', '^'],
    ['x5E', '^'],
    ['0x09', TAB],
    ['', TAB],
  ] as const);
  const attributes = [
    `devTime=${at}`,
    'cat=web',
    `usrName=${random.pick(pools.users).rawAccount}`,
    `src=2001:db8::${(1 + random.int(65_000)).toString(16)}`,
    `url=https://example.com/search?q=a=b&page=${random.int(50)}`,
    `resource=/docs/${random.int(1_000)}`,
    'empty=',
  ];
  return `<134>1 ${times.iso(at)} proxy-${1 + random.int(3)} webgw - - - LEEF:2.0|Fabrikam|Web Gateway|2.3|Allowed|${delimiter}|${attributes.join(sign)}`;
}
