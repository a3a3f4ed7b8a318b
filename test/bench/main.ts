const [first, ...rest] = process.argv.slice(2);

if (first === 'stages') {
  process.argv.splice(2, 1);
  await import('./stages-main.js');
} else {
  const { endToEnd } = await import('./end-to-end/main.js');
  await endToEnd(first === undefined ? [] : [first, ...rest]).catch((error: Error) => {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  });
}
