import type * as Jco from '@bytecodealliance/jco';
import type * as Qjs from 'componentize-qjs';
import type * as TypeScript from 'typescript';
import { z } from 'zod';
import { importAuthorModule } from './tools.js';

// An import whose place is found at run time has no type: these modules are what their own declarations say.

/** Tools for components: assembles WAT, wraps core modules. */
export async function importJco(folder: string): Promise<typeof Jco> {
  return (await importAuthorModule('@bytecodealliance/jco', folder)) as typeof Jco;
}

/** JavaScript to components. */
export async function importQjs(folder: string): Promise<typeof Qjs> {
  return (await importAuthorModule('componentize-qjs', folder)) as typeof Qjs;
}

/** The TypeScript compiler. */
export async function importTypeScript(folder: string): Promise<typeof TypeScript> {
  const { default: ts } = z.object({ default: z.unknown() }).parse(await importAuthorModule('typescript', folder));
  return ts as typeof TypeScript;
}
