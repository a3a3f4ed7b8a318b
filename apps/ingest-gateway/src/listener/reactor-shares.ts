import type { ReactorSettings } from '../reactor/messages.js';

/**
 * One reactor's part of the settings that hold over all of them. Parts differ by one at most and add up to the whole,
 * except that each reactor needs room for an event and a writer: with more reactors than `activitymonitor_buffer_threads`
 * there are as many writes at a time as reactors.
 * @param total    limits over all reactors
 * @param position of this reactor among those that run, from 0
 * @param count    reactors that run, draining ones included
 */
export function shareOf(total: ReactorSettings, position: number, count: number): ReactorSettings {
  const part = (whole: number): number =>
    Math.max(1, Math.floor(((position + 1) * whole) / count) - Math.floor((position * whole) / count));
  const { flow } = total;
  return {
    ...total,
    flow: {
      ...flow,
      bufferMaxEvents: part(flow.bufferMaxEvents),
      bufferBytesShare: (flow.bufferBytesShare ?? 1) / count,
      sinkWriters: part(flow.sinkWriters),
    },
  };
}
