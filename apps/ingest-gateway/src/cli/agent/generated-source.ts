import {
  ChunkBuilder,
  createEventGenerator,
  type EventGeneratorOptions,
  type GeneratedEvent,
  type MessageSource,
} from '@activity-gateway/agent';
import type { Pacer } from './pacer.js';

/** Events that are left to send, shared by agents. */
export interface EventBudget {
  left: number;
}

/** What a source of generated events is made from. */
export interface GeneratedSourceOptions {
  readonly generator: EventGeneratorOptions;
  readonly budget: EventBudget;
  readonly pacer: Pacer;
  /** Name under which an event is reported; its kind by default. */
  readonly label?: (event: GeneratedEvent) => string;
}

/** Generates events until the budget is used up. */
export function generatedSource(options: GeneratedSourceOptions): MessageSource {
  const { budget, pacer, label = (event) => event.type } = options;
  const generator = createEventGenerator(options.generator);
  return async (signal) => {
    const count = Math.min(pacer.chunkSize, budget.left);
    budget.left -= count;
    await pacer.wait(count, signal);
    if (signal.aborted) return undefined;
    const chunk = new ChunkBuilder();
    for (let left = count; left > 0; left -= 1) {
      const event = generator.next();
      chunk.add(label(event), event.line);
    }
    return chunk.take();
  };
}
