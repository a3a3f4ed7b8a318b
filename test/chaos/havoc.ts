import { sleep } from '@activity-gateway/pipeline/helpers';
import type { TestClickHouse } from '../support/clickhouse.js';
import type { Fault, FaultProxy, Moment } from '../support/fault-proxy.js';
import { pollUntil } from '../support/poll.js';
import type { SmallDisk } from '../support/small-disk.js';
import { Dice } from './dice.js';
import type { Action } from './plan.js';
import { killIfThere, type Scene, type Victim } from './scene.js';
import { resetSettings, setSetting, type SettingChange } from './settings.js';

/** What actions are done to. */
export interface Stage {
  readonly scene: Scene;
  readonly clickhouse: TestClickHouse;
  readonly proxy: FaultProxy;
  /** Where the gateway's data is; missing where none can be mounted. */
  readonly disk: SmallDisk | undefined;
}

const FAULTS: readonly Fault[] = ['cut-before', 'cut-after', 'late', 'refuse', 'none'];
/** How long an insert is waited for; there is none while nothing can be written, ms. */
const CAUGHT_MS = 20_000;
const FLAG = 'enable_activitymonitor_ingestion';

/** Does actions to a running gateway. What harms ClickHouse goes on while the next actions are done. */
export class Havoc {
  #weatherEnds = 0;

  constructor(private readonly stage: Stage) {}

  /** Does one; resolves with what there is to say of it. The gateway runs again then, if it was ended. */
  async do(action: Action): Promise<'done' | 'not possible here' | 'no insert came'> {
    const { scene, disk } = this.stage;
    switch (action.kind) {
      case 'kill':
        await this.#kill(action.victim);
        return 'done';
      case 'kill-at':
        return this.#killAt(action.victim, action.moment);
      case 'restart':
        await scene.gateway.stop();
        await scene.startAgain();
        return 'done';
      case 'faults': {
        const dice = new Dice(action.seed);
        this.#weather(action.ms, () => dice.pick(FAULTS));
        return 'done';
      }
      case 'hang':
        this.#weather(action.ms, () => action.fault);
        return 'done';
      case 'resets': {
        const dice = new Dice(action.seed);
        scene.network.reset(action.side, () => dice.next() < action.share);
        return 'done';
      }
      case 'setting':
        await this.#set(action.change);
        return 'done';
      case 'reactors':
        await this.#set({ name: 'activitymonitor_reactor_threads', value: action.value });
        return 'done';
      case 'switch-off':
        await this.#set({ name: FLAG, value: false });
        await sleep(action.ms);
        await this.#set({ name: FLAG, value: true });
        return 'done';
      case 'clock':
        scene.clock.jump(action.ms);
        return 'done';
      case 'disk-full':
        if (disk === undefined) return 'not possible here';
        await disk.fill();
        await sleep(action.ms);
        await disk.free();
        return 'done';
      case 'second-start':
        await this.#startAnother();
        return 'done';
    }
  }

  /** Ends all harm and gives the settings back. */
  async calm(): Promise<void> {
    const { scene, proxy } = this.stage;
    proxy.fault = () => 'none';
    proxy.release();
    proxy.breakConnections();
    await pollUntil('the settings to be given back', () => resetSettings(scene.gateway).then(() => true));
    await this.#set({ name: FLAG, value: true });
  }

  #weather(ms: number, fault: () => Fault): void {
    this.#weatherEnds = Date.now() + ms;
    this.stage.proxy.fault = () => (Date.now() < this.#weatherEnds ? fault() : 'none');
  }

  async #kill(victim: Victim): Promise<void> {
    if (victim === 'clickhouse') this.stage.clickhouse.kill();
    else await this.stage.scene.kill(victim);
  }

  async #killAt(victim: 'reactor' | 'gateway', moment: Moment): Promise<'done' | 'no insert came'> {
    const { scene, proxy } = this.stage;
    const pids = await scene.processesOf(victim);
    const over = new AbortController();
    let caught = false;
    proxy.catchNext(moment, () => {
      caught = true;
      pids.forEach(killIfThere);
      over.abort();
    });
    await sleep(CAUGHT_MS, over.signal);
    proxy.release();
    if (!caught) return 'no insert came';
    if (victim === 'gateway') await scene.startAgain();
    return 'done';
  }

  /** The gateway may be starting. */
  async #set(change: SettingChange): Promise<void> {
    const { scene } = this.stage;
    await pollUntil(`${change.name} to be set`, () => setSetting(scene.gateway, change).then(() => true));
  }

  async #startAnother(): Promise<void> {
    const { scene } = this.stage;
    const refusal = await scene.startAnother().then(
      async (gateway) => {
        await gateway.stop();
        return 'it was not refused';
      },
      (error: Error) => error.message,
    );
    if (!refusal.includes('DATA_DIR_IN_USE')) throw new Error(`A second start on the data: ${refusal}`);
  }
}
