/**
 * Asks until the answer is good: tests wait for a state, never for a time.
 * @param deadlineMs how long to ask, ms
 * @param everyMs    time between two questions, ms
 * @throws Error with the description and the last answer or error when the deadline passes
 */
export async function pollUntil<T>(
  description: string,
  ask: () => T | Promise<T>,
  good: (answer: T) => boolean = Boolean,
  deadlineMs = 30_000,
  everyMs = 50,
): Promise<T> {
  const end = Date.now() + deadlineMs;
  let last: unknown;
  for (;;) {
    try {
      const answer = await ask();
      if (good(answer)) return answer;
      last = answer;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) {
      throw new Error(`Waited ${deadlineMs} ms for: ${description}. Last: ${describe(last)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

function describe(value: unknown): string {
  return value instanceof Error ? value.message : JSON.stringify(value);
}
