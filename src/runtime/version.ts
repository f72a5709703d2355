import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { packageRoot } from '../shared/paths.js';

const manifest = z.object({ version: z.string() });

/** Version of this release, from package.json. */
export const version = manifest.parse(JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'))).version;
