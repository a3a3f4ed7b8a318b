import type { Block, EventType, Sink } from '@activity-gateway/pipeline/api';
import { encodeOnly } from '@activity-gateway/pipeline/helpers';

const NO_BYTES = Buffer.alloc(0);

/** Takes records and keeps nothing of them; entries count rows and have no bytes. */
export class NullSink implements Sink {
  open(type: EventType): Block {
    return encodeOnly(type.name, () => NO_BYTES);
  }

  async write(): Promise<void> {}
}
