/** Kinds of event that the generator makes, by the names that `--types` takes. */
export const EVENT_KINDS = ['file', 'sharepoint', 'copilot', 'leef'] as const;

/** One of `EVENT_KINDS`. */
export type EventKind = (typeof EVENT_KINDS)[number];

/** The kinds, and `unknown`: JSON of an `ActivityType` that no gateway knows. */
export type GeneratedKind = EventKind | 'unknown';
