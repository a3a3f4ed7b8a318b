import type { MessageSource } from '@activity-gateway/agent';
import { addAgentOptions, type AgentOptions } from './agent/agent-options.js';
import { AgentFleet, type FleetOptions } from './agent/agent-fleet.js';
import { fileSource } from './agent/file-source.js';
import { generatedSource } from './agent/generated-source.js';
import { withInterrupts, type Interrupts } from './agent/interrupts.js';
import { Pacer } from './agent/pacer.js';
import { prepareAgents } from './agent/prepare-agents.js';
import { ProgressLine } from './agent/progress-line.js';
import { formatCount, formatTable } from './agent/table.js';
import { CliCommand } from './cli-command.js';
import { printError } from './print-error.js';

/**
 * `agent`: simulates agents against a gateway. The first Ctrl-C stops it gracefully, the second at once. Exit code 0:
 * everything sent (or stopped by the first Ctrl-C), 1: an agent could not enroll or gave up, 130: stopped at once.
 * @param handler what the command does; the program's own by default
 */
export function agentCommand(handler = simulate): CliCommand {
  const command = new CliCommand('gateway agent').description(
    'Simulates agents: enrolls them, then streams events to a gateway.',
  );
  command.exits('0 = everything sent, 1 = an agent could not enroll or gave up, 130 = stopped at once');
  return addAgentOptions(command).runs<AgentOptions>(handler);
}

function simulate(options: AgentOptions): Promise<number> {
  return withInterrupts((interrupts) => run(options, interrupts));
}

async function run(options: AgentOptions, { stop, abort }: Interrupts): Promise<number> {
  const agents = await prepareAgents(options, stop.signal);
  const verb = options.token === undefined ? 'ready' : 'enrolled';
  process.stdout.write(`${agents.length} of ${options.agents} agents ${verb}\n`);
  const source = chooseSource(options);
  const { ack } = options;
  const fleet = new AgentFleet({ agents, source, ack, stop: stop.signal, abort: abort.signal });
  const timer = setTimeout(() => stop.abort(), Math.min((options.duration ?? Infinity) * 1000, 2 ** 31 - 1));
  const line = new ProgressLine(() => fleet.describe());
  try {
    const failures = await fleet.run();
    line.stop();
    report(fleet, ack);
    for (const { name, error } of failures) printError(error, name);
    if (abort.signal.aborted) return 130;
    return failures.length === 0 ? 0 : 1;
  } finally {
    clearTimeout(timer);
    line.stop();
  }
}

function chooseSource(options: AgentOptions): FleetOptions['source'] {
  const pacer = new Pacer(options.rate);
  if (options.file !== undefined) {
    const shared: MessageSource = fileSource(options.file, pacer);
    return () => shared;
  }
  const budget = { left: options.events ?? Number.POSITIVE_INFINITY };
  const { types, badRatio } = options;
  return ({ name }, index) =>
    generatedSource({
      generator: { seed: options.seed + index, types, agentHost: name, badRatio },
      budget,
      pacer,
    });
}

function report(fleet: AgentFleet, ack: boolean): void {
  const kinds = [...fleet.sentByKind()].sort(([a], [b]) => (a < b ? -1 : 1));
  const seconds = fleet.elapsedMs / 1000;
  process.stdout.write(`\n${formatTable([['type', 'sent'], ...kinds, ['total', fleet.sent]])}\n`);
  process.stdout.write(`${formatCount(fleet.sent / seconds)} events/s over ${seconds.toFixed(1)} s\n`);
  if (ack) return reportAcks(fleet);
  if (fleet.unconfirmed === 0) return;
  const count = formatCount(fleet.unconfirmed);
  process.stdout.write(`${count} of them went over connections that broke: some of these may be lost.\n`);
}

function reportAcks(fleet: AgentFleet): void {
  const { acknowledged, unconfirmed, maybeTwice } = fleet;
  process.stdout.write(
    `${formatCount(acknowledged)} acknowledged, ${formatCount(unconfirmed)} unconfirmed\n`,
  );
  if (maybeTwice === 0) return;
  const count = formatCount(maybeTwice);
  process.stdout.write(
    `${count} were sent again to a gateway that does not recognise them: some may be stored twice.\n`,
  );
}
