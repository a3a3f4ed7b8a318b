import { parseArgs } from 'node:util';
import { MIB } from './figures.js';
import { overload } from './overload.js';

const { values } = parseArgs({
  options: {
    overload: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '60' },
    floods: { type: 'string', default: '4' },
    steady: { type: 'string', default: '200' },
    'slow-insert': { type: 'string', default: '0' },
    minutes: { type: 'string', default: '10' },
  },
});

/** `buffer.max_bytes` of the pipeline that is shipped. */
const BUDGET_BYTES = 256 * MIB;

if (values.overload) {
  process.exitCode = await overload({
    seconds: Number(values.seconds),
    floods: Number(values.floods),
    steadyRate: Number(values.steady),
    slowInsertMs: Number(values['slow-insert']),
    budgetBytes: BUDGET_BYTES,
  });
}
