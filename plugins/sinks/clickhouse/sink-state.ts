import type { PluginContext } from '@activity-gateway/pipeline/api';
import type { describeTables } from './table-columns.js';

/** State of its tables, as the sink reports it. */
type TablesState = ReturnType<typeof describeTables>;

/** What a sink says of itself: the state of its tables, and what else is not as it should be. */
export class SinkState {
  #tables: TablesState | undefined;
  readonly #warnings = new Map<string, string>();
  #reported = '';

  constructor(private readonly report: PluginContext['report']) {}

  /** The tables were read. */
  setTables(state: TablesState): void {
    this.#tables = state;
    this.#show();
  }

  /** Degrades the sink until the warning of this key is taken away. @param text sentences for operators */
  warn(key: string, text: string): void {
    this.#warnings.set(key, text);
    this.#show();
  }

  /** Takes a warning away. */
  clear(key: string): void {
    if (this.#warnings.delete(key)) this.#show();
  }

  #show(): void {
    const { state: tables = 'ok', reason } = this.#tables ?? {};
    const state = tables === 'ok' && this.#warnings.size > 0 ? 'degraded' : tables;
    const reasons = [...(reason === undefined ? [] : [reason]), ...this.#warnings.values()];
    const text = JSON.stringify([state, reasons]);
    if (text === this.#reported) return;
    this.#reported = text;
    this.report(state, reasons.length === 0 ? undefined : reasons.join(' '));
  }
}
