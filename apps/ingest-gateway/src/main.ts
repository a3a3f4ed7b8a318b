#!/usr/bin/env node
import { runProgram } from './cli/program.js';
import { keepFilesPrivate } from './private-files.js';

/** What is left open after a command has ended must not keep the process alive for longer than this, ms. */
const LINGER_MS = 3_000;

keepFilesPrivate();
process.exitCode = await runProgram(process.argv.slice(2));
setTimeout(() => process.exit(), LINGER_MS).unref();
