/** User types of Management Activity API records, by number (`docs/reference/events.md`, SharePointOnline). */
const USER_TYPES: readonly string[] = [
  'Regular',
  'Reserved',
  'Admin',
  'DCAdmin',
  'System',
  'Application',
  'ServicePrincipal',
  'CustomPolicy',
  'SystemPolicy',
  'PartnerTechnician',
  'Guest',
];

/** The name of a Management Activity API user type sent as its number; a name, or an unknown number, stays as it is. */
export function officeUserType(text: string): string {
  return text.length <= 2 && /^\d{1,2}$/.test(text) ? (USER_TYPES[Number(text)] ?? text) : text;
}
