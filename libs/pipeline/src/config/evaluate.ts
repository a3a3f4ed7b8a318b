import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import { coreScalar } from './core-scalar.js';
import { interpolate } from './interpolate.js';
import { here, joinPointer, parentPointer, pointerParts } from './pointer.js';
import type { Finding, Position, ProblemList } from './problems.js';
import { itemSchemas, propertySchemas, typesOf, type Schemas } from './schema-walk.js';
import { syntaxFinding } from './syntax-finding.js';
import type { YamlFile } from './yaml-file.js';

/** Values of one file at most, aliases counted as often as they are used. */
const MAX_VALUES = 10_000;
/** Levels at most: an alias inside its own anchor has no end. */
const MAX_LEVELS = 50;
const START: Position = { line: 1, column: 1 };

/** What is known of a place in a file, by JSON pointer. */
export interface Note {
  readonly key?: Position;
  readonly value: Position;
  readonly node: unknown;
  /** What messages show for a value that came from the environment. */
  readonly shown?: string;
  /** A problem is reported already; what follows from it is not. */
  readonly broken?: boolean;
}

/** Turns the nodes of a file into values: variables put in, types by the schema, places noted. */
export class Evaluation {
  readonly #notes = new Map<string, Note>();
  #values = 0;

  constructor(
    readonly file: YamlFile,
    private readonly env: NodeJS.ProcessEnv,
    private readonly problems: ProblemList,
  ) {}

  /** The value of the whole file; `undefined` when it is empty. */
  root(schemas: Schemas): unknown {
    return this.value(this.file.document.contents, schemas, '');
  }

  /** What is known of a place. */
  note(pointer: string): Note | undefined {
    return this.#notes.get(pointer);
  }

  /** Place of a value, or of the nearest thing round it that the file has. */
  valuePosition(pointer: string): Position {
    const note = this.#notes.get(pointer);
    if (note !== undefined) return note.value;
    return pointer === '' ? START : this.keyPosition(parentPointer(pointer));
  }

  /** Place of the key, or of the value where it has none. */
  keyPosition(pointer: string): Position {
    return this.#notes.get(pointer)?.key ?? this.valuePosition(pointer);
  }

  /** Whether the place, or one round it, has a problem that is reported already. */
  isBroken(pointer: string): boolean {
    if (this.#notes.get(pointer)?.broken === true) return true;
    return pointer !== '' && this.isBroken(parentPointer(pointer));
  }

  /** Reports a problem at a value. */
  report(position: Position, finding: Finding): void {
    this.problems.add(this.file.name, position, finding);
  }

  /**
   * The value of a node. `undefined`: it counts as not given, because it is empty, or because a problem is reported.
   * @param schemas what may hold there: texts stay texts where the schema wants one
   */
  value(node: unknown, schemas: Schemas, pointer: string, key?: Position): unknown {
    const position = this.#positionOf(node) ?? key ?? START;
    this.#notes.set(pointer, { ...(key && { key }), value: position, node });
    this.#values += 1;
    if (this.#values > MAX_VALUES || pointerParts(pointer).length > MAX_LEVELS) {
      return this.#tooMany(pointer, position);
    }
    if (isAlias(node)) return this.#alias(node.resolve(this.file.document), schemas, pointer, key, position);
    if (isMap(node)) return this.#map(node, schemas, pointer);
    if (isSeq(node)) return this.#list(node, schemas, pointer);
    return isScalar(node) ? this.#scalar(node, schemas, pointer, position) : undefined;
  }

  #alias(
    target: Node | undefined,
    schemas: Schemas,
    pointer: string,
    key: Position | undefined,
    position: Position,
  ): unknown {
    if (target === undefined) return this.#broken(pointer, position, syntaxFinding('BAD_ALIAS', ''));
    const result = this.value(target, schemas, pointer, key);
    const note = this.#notes.get(pointer);
    if (note !== undefined) this.#notes.set(pointer, { ...note, value: position });
    return result;
  }

  #map(map: YAMLMap, schemas: Schemas, pointer: string): Record<string, unknown> {
    const result: Record<string, unknown> = {};
    for (const pair of map.items) {
      const name = this.#keyOf(pair);
      if (name === undefined || Object.hasOwn(result, name)) continue;
      const key = this.#positionOf(pair.key);
      const known = propertySchemas(schemas, name);
      const value = this.value(pair.value, known, joinPointer(pointer, name), key);
      if (value === undefined && known.length > 0) continue;
      // A key named __proto__ must not reach the prototype.
      Object.defineProperty(result, name, { value, enumerable: true, writable: true, configurable: true });
    }
    return result;
  }

  #list(list: YAMLSeq, schemas: Schemas, pointer: string): unknown[] {
    const known = itemSchemas(schemas);
    return list.items.map((item, index) => this.value(item, known, joinPointer(pointer, index)) ?? null);
  }

  #scalar(scalar: Scalar, schemas: Schemas, pointer: string, position: Position): unknown {
    const { value } = scalar;
    if (typeof value === 'string') return this.#text(value, schemas, pointer, position);
    if (value === null) return typesOf(schemas).has('null') ? null : undefined;
    if (typeof value === 'number' || typeof value === 'boolean') return value;
    const message = `${here(pointer)} must be text, a number, true or false.`;
    return this.#broken(pointer, position, { code: 'CONFIG_WRONG_TYPE', message });
  }

  #text(template: string, schemas: Schemas, pointer: string, position: Position): unknown {
    const { text, whole, shown, findings } = interpolate(template, this.env);
    for (const finding of findings) {
      this.#broken(pointer, position, { ...finding, message: `${here(pointer)}: ${finding.message}` });
    }
    if (findings.length > 0) return undefined;
    const note = this.#notes.get(pointer);
    if (shown !== undefined && note !== undefined) this.#notes.set(pointer, { ...note, shown });
    if (!whole) return text;
    const types = typesOf(schemas);
    if (text === '') return types.has('null') ? null : undefined;
    return types.size === 1 && types.has('string') ? text : (coreScalar(text) ?? undefined);
  }

  #keyOf({ key }: Pair): string | undefined {
    if (isScalar(key) && ['string', 'number', 'boolean'].includes(typeof key.value)) return String(key.value);
    this.report(this.#positionOf(key) ?? START, {
      code: 'CONFIG_SYNTAX',
      message: 'A key has to be text.',
      hint: 'Write a plain name before the colon.',
    });
    return undefined;
  }

  #tooMany(pointer: string, position: Position): undefined {
    if (this.#values === Infinity) return undefined;
    this.#values = Infinity;
    return this.#broken(pointer, position, {
      code: 'CONFIG_SYNTAX',
      message: `The file has more than ${MAX_VALUES} values or ${MAX_LEVELS} levels, aliases included.`,
      hint: 'Use fewer aliases, and none inside its own anchor.',
    });
  }

  #broken(pointer: string, position: Position, finding: Finding): undefined {
    const note = this.#notes.get(pointer);
    this.#notes.set(pointer, { node: undefined, value: position, ...note, broken: true });
    this.report(position, finding);
    return undefined;
  }

  #positionOf(node: unknown): Position | undefined {
    const range = (node as Node | null | undefined)?.range;
    return range ? this.file.position(range[0]) : undefined;
  }
}
