import { addExtra, coerceText, KnownKeys, type Extra } from '@app/pipeline/helpers';
import { copilotLists } from './schema.js';

/** An element of a list in `CopilotEventData`; null counts as one without keys. */
export type Element = Readonly<Record<string, unknown>> | null;

/** `CopilotEventData` as its schema lets it through. */
export type EventData = Readonly<Record<string, unknown>>;

type ListName = keyof typeof copilotLists;

const NO_ELEMENTS: readonly Element[] = Object.freeze([]);
const LIST_NAMES = Object.keys(copilotLists) as ListName[];
const KNOWN = new KnownKeys(['AppHost', 'ThreadId', ...LIST_NAMES]);
const KNOWN_OF_ELEMENTS = Object.fromEntries(
  LIST_NAMES.map((name) => [name, new KnownKeys(copilotLists[name])]),
) as Record<ListName, KnownKeys>;

/** A list of the event data; a missing one is empty. */
export function listOf(data: EventData, name: ListName): readonly Element[] {
  return (data[name] as readonly Element[] | null | undefined) ?? NO_ELEMENTS;
}

/** One key of all elements, as text; empty where an element has none. */
export function textsOf(elements: readonly Element[], key: string): string[] {
  const texts: string[] = [];
  for (const element of elements) texts.push(coerceText(element?.[key], ''));
  return texts;
}

/**
 * What the event data carries beyond the columns: its own unknown keys, and for each list with unknown keys in any
 * element an array as long as the list, so that element n of it belongs to part n of the nested column. `undefined`
 * when there is nothing.
 */
export function restOfEventData(data: EventData): Extra | undefined {
  let rest = KNOWN.rest(data);
  for (const name of LIST_NAMES) {
    const elements = listOf(data, name);
    const rests = restOfElements(elements, KNOWN_OF_ELEMENTS[name]);
    if (rests !== undefined) rest = addExtra(rest, name, rests);
  }
  return rest;
}

function restOfElements(elements: readonly Element[], known: KnownKeys): Extra[] | undefined {
  let rests: Extra[] | undefined;
  for (const [index, element] of elements.entries()) {
    const rest = element === null ? undefined : known.rest(element);
    if (rest === undefined) continue;
    rests ??= Array.from(elements, (): Extra => ({}));
    rests[index] = rest;
  }
  return rests;
}
