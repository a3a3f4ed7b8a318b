/** How long Jest may take to exit after its last test, ms. */
const EXIT_MS = 10_000;

/** Ends a run with one plain line of totals, and ends Jest when a test has left something open that keeps it running. */
class ClosingLineReporter {
  onRunComplete(_contexts, results) {
    const skipped = results.numPendingTests + results.numTodoTests;
    const tail = skipped > 0 ? `, ${skipped} skipped` : '';
    process.stdout.write(`\n${results.numPassedTests} passed, ${results.numFailedTests} failed${tail}\n`);
    setTimeout(endWithComplaint, EXIT_MS).unref();
  }
}

function endWithComplaint() {
  const open = process.getActiveResourcesInfo().join(', ');
  process.stderr.write(`A test has left something open that keeps Jest running: ${open}\n`);
  process.exit(1);
}

// Jest loads a reporter through its default export; it is the one place that needs one.
export default ClosingLineReporter;
