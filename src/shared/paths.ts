import { fileURLToPath } from 'node:url';

/**
 * The package's folder. This file is two levels below it, in the source and in the build, and so are programs and
 * chunks.
 */
export const packageRoot = fileURLToPath(new URL('../..', import.meta.url));
