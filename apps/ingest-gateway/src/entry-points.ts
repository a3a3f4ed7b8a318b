import { fileURLToPath } from 'node:url';

// Both builds lay this module beside these files: the compiled sources, and the bundle, which has one folder
// (`bundle.mjs`). A file in a folder of its own would be found by only one of them.

/** File of the command line, which Node can run. */
export const GATEWAY_ENTRY = fileURLToPath(new URL('./main.js', import.meta.url));

/** File that the process of a reactor runs. */
export const REACTOR_ENTRY = fileURLToPath(new URL('./reactor.main.js', import.meta.url));
