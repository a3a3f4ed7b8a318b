// Preloaded (`node --import`) into a process whose clock a test moves: the milliseconds in the file that CHAOS_CLOCK_FILE
// names are added to what `Date` says. Timers and `performance.now()` go on as they do when a machine's clock is set.
import { readFileSync } from 'node:fs';
import { setInterval } from 'node:timers';

const LOOK_EVERY_MS = 50;
const file = process.env.CHAOS_CLOCK_FILE;
const RealDate = Date;
const realNow = RealDate.now;
let offset = 0;

function look() {
  try {
    const ms = Number(readFileSync(file, 'utf8'));
    if (Number.isFinite(ms)) offset = ms;
  } catch {
    // There is none before the test moves the clock.
  }
}

if (file !== undefined) {
  look();
  setInterval(look, LOOK_EVERY_MS).unref();
  RealDate.now = () => realNow() + offset;
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args, made) =>
      Reflect.construct(
        target,
        args.length === 0 ? [target.now()] : args,
        made === globalThis.Date ? target : made,
      ),
    apply: (target) => new target(target.now()).toString(),
  });
  RealDate.prototype.constructor = globalThis.Date;
}
