import { constants, setPriority } from 'node:os';
import { Attacker, type Attack } from './attacks.js';

// An attacker of its own process. Its own work must not take the processor from the gateway: a real one has its own machine.
setPriority(constants.priority.PRIORITY_LOW);

/** What an attacker is told. */
export interface AttackPlan {
  readonly attacks: readonly { readonly attack: Attack; readonly from: string }[];
  readonly port: number;
}

const TICK_MS = 500;
let attackers: Attacker[] = [];

process.on('message', ({ attacks, port }: AttackPlan) => {
  attackers = attacks.map(({ attack, from }) => new Attacker(attack, { port, from }));
  for (const attacker of attackers) void attacker.run();
});
setInterval(() => process.send?.(attackers.map(({ made }) => made)), TICK_MS);
process.once('disconnect', () => process.exit(0));
