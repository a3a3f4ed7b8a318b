import { setFlagsFromString } from 'node:v8';

/** What a reactor asks of the engine, and why. */
const OPTIONS = [
  // To decode a file event takes some forty calls (coercions, checks), of which by default only 920 bytes of code are put into
  // the function that calls them. 6 to 8 % less time to read, decode and encode an event.
  '--max-inlined-bytecode-size-cumulative=2000',
  // By default the heap may grow by 8 MiB from one full collection to the next, and buffers of messages on their way count as
  // growth: that was one a second at 200,000 events/s. Now it may double; live are 20 to 25 MiB, and there is one in 10 s.
  '--heap-growing-percent=100',
  // A function is optimized when it has run for three times as long as by default. What runs a hundred times a second, such as
  // a write to ClickHouse, was compiled for minutes and gained nothing by it: of the first 10 s under load the compiler's
  // threads take 0.9 s instead of 1.5, of the next 30 s 0.4 s instead of 1.5.
  '--interrupt-budget=400000',
];

/** Sets them for what is compiled and collected from now on. An engine that does not know one says so on standard error and goes on. */
export function setEngineOptions(): void {
  for (const option of OPTIONS) setFlagsFromString(option);
}
