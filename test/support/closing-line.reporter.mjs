/** Ends a run with one plain line of totals, so that a log's last lines tell what was run without reading the table. */
class ClosingLineReporter {
  onRunComplete(_contexts, results) {
    const skipped = results.numPendingTests + results.numTodoTests;
    const tail = skipped > 0 ? `, ${skipped} skipped` : '';
    process.stdout.write(`\n${results.numPassedTests} passed, ${results.numFailedTests} failed${tail}\n`);
  }
}

// Jest loads a reporter through its default export; it is the one place that needs one.
export default ClosingLineReporter;
