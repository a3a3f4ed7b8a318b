import { KnownKeys, nestExtra, type Extra } from '@activity-gateway/pipeline/helpers';
import type { Element } from './nested-columns.js';
import { copilotLists } from './lists.js';

/** `CopilotEventData` as its schema lets it through. */
export type EventData = Readonly<Record<string, unknown>>;

type ListName = keyof typeof copilotLists;

/** The lists of the event data; missing ones are empty. */
export type Lists = Readonly<Record<ListName, readonly Element[]>>;

const NO_ELEMENTS: readonly Element[] = Object.freeze([]);
const LIST_NAMES = Object.keys(copilotLists) as ListName[];
const KNOWN = new KnownKeys(['AppHost', 'ThreadId', ...LIST_NAMES]);
const KNOWN_OF_ELEMENTS = Object.fromEntries(
  LIST_NAMES.map((name) => [name, new KnownKeys(copilotLists[name])]),
) as Record<ListName, KnownKeys>;

/** The lists of the event data. */
export function listsOf(data: EventData): Lists {
  return {
    Messages: listOf(data['Messages']),
    Contexts: listOf(data['Contexts']),
    AccessedResources: listOf(data['AccessedResources']),
    AISystemPlugin: listOf(data['AISystemPlugin']),
    ModelTransparencyDetails: listOf(data['ModelTransparencyDetails']),
  };
}

function listOf(value: unknown): readonly Element[] {
  return (value as readonly Element[] | null | undefined) ?? NO_ELEMENTS;
}

/**
 * What the event data carries beyond the columns: its own unknown keys, and for each list with unknown keys in any
 * element an array as long as the list, so that element n of it belongs to part n of the nested column. `undefined`
 * when there is nothing.
 */
export function restOfEventData(data: EventData, lists: Lists): Extra | undefined {
  let rest = KNOWN.rest(data);
  for (const name of LIST_NAMES) {
    const elements = lists[name];
    if (elements.length === 0) continue;
    const rests = restOfElements(elements, KNOWN_OF_ELEMENTS[name]);
    if (rests !== undefined) rest = nestExtra(rest, name, rests);
  }
  return rest;
}

function restOfElements(elements: readonly Element[], known: KnownKeys): Extra[] | undefined {
  let rests: Extra[] | undefined;
  for (let index = 0; index < elements.length; index += 1) {
    const element = elements[index] ?? null;
    const rest = element === null ? undefined : known.rest(element);
    if (rest === undefined) continue;
    rests ??= Array.from(elements, (): Extra => ({}));
    rests[index] = rest;
  }
  return rests;
}
