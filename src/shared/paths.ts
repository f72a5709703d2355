import { fileURLToPath } from 'node:url';

/** The package's folder. This file is two levels below it, as source and as built, and so are programs and chunks. */
export const packageRoot = fileURLToPath(new URL('../..', import.meta.url));
