import { ClickHouseError } from '@clickhouse/client';
import type { PartialWriteError } from '@activity-gateway/pipeline/api';

/** Why a row was refused, without any of its values. */
export interface Refusal {
  /** ClickHouse's name of the error in lower_snake_case, such as `violated_constraint`. */
  readonly code: string;
  /** With its number, as `SinkError.code`. */
  readonly sinkCode: string;
  /** JSON pointer (RFC 6901) of the column, or the empty string where ClickHouse names none. */
  readonly field: string;
  /** One sentence for people. */
  readonly message: string;
}

const NAME = '(?:__table\\d+\\.)?`?([\\w.]+)`?';
/** How ClickHouse names the column: in a conversion of the reader, in one after it, in a function of ours, in a constraint. */
const COLUMN = [
  /while converting (?:source )?column "?`?([\w.]+)`?"? (?:from|to) /,
  new RegExp(`FUNCTION (?:accurateCast|_?CAST|if\\(isNull)\\(${NAME}(?: ::|\\))`, 'i'),
  /Column values: `?([\w.]+)`? = /,
];
const CONSTRAINT = /Constraint `?([^`]+?)`? for table/;

/** Reads what ClickHouse says of a refused row. */
export function readRefusal({ code, cause }: PartialWriteError): Refusal {
  const text = cause instanceof ClickHouseError ? cause.message : '';
  const [number = code, type = `clickhouse_${number}`] = code.split(' ');
  const column = columnOf(text);
  const constraint = CONSTRAINT.exec(text)?.[1];
  const details = [
    ...(column === undefined ? [] : [`, column ${column}`]),
    ...(constraint === undefined ? [] : [`, constraint ${constraint}`]),
  ];
  return {
    code: type.toLowerCase(),
    sinkCode: code,
    field: column === undefined ? '' : `/${column}`,
    message: `ClickHouse refused the row: ${code}${details.join('')}.`,
  };
}

function columnOf(text: string): string | undefined {
  for (const pattern of COLUMN) {
    const column = pattern.exec(text)?.[1];
    if (column !== undefined) return column;
  }
  return undefined;
}
