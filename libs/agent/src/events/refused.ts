import type { GeneratedKind } from './kinds.js';
import type { World } from './world.js';

/**
 * An event that a gateway must refuse into the dead letters while it keeps the connection: a required key is
 * missing, a time is none, a LEEF header is cut short, the type is unknown. Never a violation of the protocol.
 */
export function refusedEvent(kind: GeneratedKind, world: World): string {
  const { random } = world;
  const time = world.times.iso(world.at);
  const user = random.pick(world.pools.users);
  const bad = random.oneIn(2);
  switch (kind) {
    case 'file':
      return `{"TimeLogged":"${bad ? 'yesterday' : time}","ActivityType":"FileSystem","Host":"FS01","Operation":"Read",${bad ? '"Path":"C:\\\\a",' : ''}"UserName":"${user.account}"}`;
    case 'sharepoint':
      return `{"TimeLogged":"${bad ? '2026-13-45T99:00:00Z' : time}","ActivityType":"SharePointOnline","EventType":"FileAccessed"${bad ? `,"UserId":"${user.upn}"` : ''}}`;
    case 'copilot':
      return `{"TimeLogged":"${time}","ActivityType":"Copilot","Operation":"CopilotInteraction","UserId":"${user.upn}"}`;
    case 'leef':
      return bad ? 'LEEF:1.0|Contoso|Edge Firewall' : '{"ActivityType":"Leef","Message":"LEEF:2.0|Contoso"}';
    case 'unknown':
      return `{"TimeLogged":"${time}","ActivityType":"ExchangeOnline","Operation":"MailItemsAccessed","UserId":"${user.upn}"}`;
  }
}
