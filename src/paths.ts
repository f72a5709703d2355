import { fileURLToPath } from 'node:url';

/** The package's folder. This file is one level below it, as source and as built. */
export const packageRoot = fileURLToPath(new URL('..', import.meta.url));
