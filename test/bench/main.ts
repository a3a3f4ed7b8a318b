/** `npm run bench`: end to end, or with `stages` as the first word the micro benchmark of the stages,
 * with `messages` the time that the longest messages take, with `fast` what the tricks of speed gain. */
const args = process.argv.slice(2);

if (args[0] === 'stages') {
  const { runStages } = await import('./stages-main.js');
  await runStages(args.slice(1));
} else if (args[0] === 'messages') {
  const { runWorstMessages } = await import('./worst-messages.js');
  runWorstMessages();
} else if (args[0] === 'fast') {
  const { runFastTricks } = await import('./fast-tricks.js');
  runFastTricks();
} else {
  const { endToEnd } = await import('./end-to-end/main.js');
  try {
    if (!(await endToEnd(args))) process.exitCode = 1;
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}
