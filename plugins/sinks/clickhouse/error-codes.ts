/** What a code of ClickHouse means for an insert. */
export type ErrorClass =
  /** A person has to change the table, the user or the gateway. */
  | 'configuration'
  /** A value that the table does not take: the row is to blame. */
  | 'row'
  /** The insert has more partitions than the server takes at once. */
  | 'partitions'
  /** Overload, network, or an outcome that nobody knows: the same bytes again. */
  | 'retry';

/** How the rows are sent; some codes mean another thing in another form. */
export type InsertFormat = 'Native' | 'JSONEachRow';

/** Codes whose class is not `retry`. An unknown code is worth another try: it may be of a newer server. */
const CLASSES: Readonly<Record<number, ErrorClass>> = {
  // The table, its columns and types, or the user's rights are not what the gateway needs.
  8: 'configuration', // THERE_IS_NO_COLUMN
  9: 'configuration', // SIZES_OF_COLUMNS_DOESNT_MATCH
  10: 'configuration', // NOT_FOUND_COLUMN_IN_BLOCK
  16: 'configuration', // NO_SUCH_COLUMN_IN_TABLE
  20: 'configuration', // NUMBER_OF_COLUMNS_DOESNT_MATCH
  36: 'configuration', // BAD_ARGUMENTS
  42: 'configuration', // NUMBER_OF_ARGUMENTS_DOESNT_MATCH
  43: 'configuration', // ILLEGAL_TYPE_OF_ARGUMENT
  44: 'configuration', // ILLEGAL_COLUMN
  46: 'configuration', // UNKNOWN_FUNCTION
  47: 'configuration', // UNKNOWN_IDENTIFIER
  48: 'configuration', // NOT_IMPLEMENTED
  50: 'configuration', // UNKNOWN_TYPE
  60: 'configuration', // UNKNOWN_TABLE
  62: 'configuration', // SYNTAX_ERROR
  73: 'configuration', // UNKNOWN_FORMAT
  80: 'configuration', // INCORRECT_QUERY
  81: 'configuration', // UNKNOWN_DATABASE
  115: 'configuration', // UNKNOWN_SETTING
  117: 'configuration', // INCORRECT_DATA: in Native a column that the table lacks, so that no row is to blame
  164: 'configuration', // READONLY
  192: 'configuration', // UNKNOWN_USER
  193: 'configuration', // WRONG_PASSWORD
  194: 'configuration', // REQUIRED_PASSWORD
  195: 'configuration', // IP_ADDRESS_NOT_ALLOWED
  291: 'configuration', // DATABASE_ACCESS_DENIED
  452: 'configuration', // SETTING_CONSTRAINT_VIOLATION
  497: 'configuration', // ACCESS_DENIED
  516: 'configuration', // AUTHENTICATION_FAILED
  // A value that the table does not take.
  6: 'row', // CANNOT_PARSE_TEXT
  25: 'row', // CANNOT_PARSE_ESCAPE_SEQUENCE
  26: 'row', // CANNOT_PARSE_QUOTED_STRING
  27: 'row', // CANNOT_PARSE_INPUT_ASSERTION_FAILED
  38: 'row', // CANNOT_PARSE_DATE
  41: 'row', // CANNOT_PARSE_DATETIME
  53: 'row', // TYPE_MISMATCH
  69: 'row', // ARGUMENT_OUT_OF_BOUND
  70: 'row', // CANNOT_CONVERT_TYPE
  72: 'row', // CANNOT_PARSE_NUMBER
  128: 'row', // TOO_LARGE_ARRAY_SIZE
  130: 'row', // CANNOT_READ_ARRAY_FROM_TEXT
  131: 'row', // TOO_LARGE_STRING_SIZE
  190: 'row', // SIZES_OF_ARRAYS_DONT_MATCH
  321: 'row', // VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
  349: 'row', // CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN
  376: 'row', // CANNOT_PARSE_UUID
  407: 'row', // DECIMAL_OVERFLOW
  467: 'row', // CANNOT_PARSE_BOOL
  469: 'row', // VIOLATED_CONSTRAINT
  675: 'row', // CANNOT_PARSE_IPV4
  676: 'row', // CANNOT_PARSE_IPV6
  691: 'row', // UNKNOWN_ELEMENT_OF_ENUM
};

/** Codes after which an immediate retry makes matters worse: the least wait in ms. */
const WAITS: Readonly<Record<number, number>> = {
  202: 1_000, // TOO_MANY_SIMULTANEOUS_QUERIES
  241: 5_000, // MEMORY_LIMIT_EXCEEDED
  242: 5_000, // TABLE_IS_READ_ONLY
  243: 10_000, // NOT_ENOUGH_SPACE
  252: 5_000, // TOO_MANY_PARTS
};

const INCORRECT_DATA = 117;
const TOO_MANY_PARTS = 252;

/**
 * Class of one of ClickHouse's error codes.
 * @param message ClickHouse's own: 252 is both for an insert of too many partitions, which has to be split, and for a
 *   table of too many parts, which needs time to merge them
 */
export function classOf(code: number, message = '', format: InsertFormat = 'Native'): ErrorClass {
  if (code === INCORRECT_DATA && format === 'JSONEachRow') return 'row';
  if (code === TOO_MANY_PARTS && /too many partitions/i.test(message)) return 'partitions';
  return CLASSES[code] ?? 'retry';
}

/** The least wait after a code, ms. */
export function waitAfter(code: number): number {
  return WAITS[code] ?? 0;
}
