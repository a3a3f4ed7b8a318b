import { PEER_VARIABLES } from '../peers/find-peers.js';
import { CORPORA } from './corpora.js';
import { scenarios } from './scenarios.js';

/** Text of `--help`. */
export function helpText(): string {
  const list = (pairs: readonly (readonly [string, string])[]): string =>
    pairs.map(([name, about]) => `  ${name.padEnd(22)}${about}`).join('\n');
  return `npm run bench -- [options]          end to end: the built gateway, real sockets, real ClickHouse (Linux only)
npm run bench -- stages [options]   micro benchmark of the stages in one process
npm run bench -- fast               what the tricks of speed take, and what the plain ways take

Options
${list([
  ['--scenario a,b', 'only these, in this order; all by default'],
  ['--seconds N', 'length of each measured flood, 10 by default'],
  ['--rounds N', 'all scenarios so many times; tables show the run in the middle; 1 by default'],
  ['--set NAME=value', 'a variable for the gateway, such as ACTIVITYMONITOR_BATCH_SIZE=500; repeatable'],
  ['--no-latency', 'leave out the runs that measure Acks'],
  [
    '--json FILE',
    'write every run; "node dist/test/bench/report.js FILE --into DOCUMENT" makes Markdown of it',
  ],
  ['--markdown', 'print the table as Markdown'],
])}

Scenarios
${list(scenarios.map(({ name, about }) => [name, about]))}

Inputs
${list(Object.entries(CORPORA))}

Options of stages
${list([
  ['--events N', 'events of a round, 100,000 by default'],
  ['--rounds N', 'measured rounds, 5 by default'],
  ['--json', 'print JSON'],
])}

Peers are looked for on the PATH. Variables name what is elsewhere:
${list([
  [
    PEER_VARIABLES.binary['syslog-ng'],
    'path of syslog-ng; of a package that was only unpacked, libraries are found beside it',
  ],
  [PEER_VARIABLES.binary.rsyslog, 'path of rsyslogd'],
  [
    PEER_VARIABLES.rsyslogModules,
    'folders with further modules of rsyslog, separated by colons (lmnsd_ossl.so)',
  ],
])}

Exit code 1: a scenario failed, or an event was missing. Method and figures: docs/reference/performance.md.
`;
}
