import { isatty } from 'node:tty';
import type { Logger } from '@activity-gateway/pipeline/api';

const STANDARD_STREAMS = [0, 1, 2];
/** A shell passes the signal on to its jobs before the terminal closes: how often and how many times to look for that. */
const LOOK_EVERY_MS = 100;
const LOOKS = 20;

/**
 * Takes SIGHUP for the rest of the process: it is logged, and nothing else happens. Only when a terminal that the
 * process was started in (one of its standard streams) has closed, `closed` is called, once.
 */
export function onHangUp(logger: Logger, closed: () => void): void {
  const terminals = STANDARD_STREAMS.filter(isatty);
  let looking: NodeJS.Timeout | undefined;
  const stopLooking = (): void => clearInterval(looking);
  // A closed terminal fails the ioctl by which the system tells a terminal from a file (tty_ioctl(4)).
  const hasClosed = (): boolean => {
    if (terminals.every((stream) => isatty(stream))) return false;
    stopLooking();
    terminals.length = 0;
    logger.warn({}, 'Terminal closed; stopping');
    closed();
    return true;
  };
  process.on('SIGHUP', () => {
    if (hasClosed()) return;
    logger.info({ signal: 'SIGHUP' }, 'Signal received; the gateway keeps running, reload is not supported');
    stopLooking();
    let looks = 0;
    looking = setInterval(() => {
      looks += 1;
      if (hasClosed() || looks >= LOOKS) stopLooking();
    }, LOOK_EVERY_MS).unref();
  });
}
