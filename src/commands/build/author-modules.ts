import type * as Jco from '@bytecodealliance/jco';
import type Binaryen from 'binaryen';
import type * as Qjs from 'componentize-qjs';
import type * as TypeScript from 'typescript';
import { z } from 'zod';
import { importAuthorModule } from './tools.js';

// An import that is resolved at run time has no type: these assertions use the declarations of the modules.

/** Imports the component tools, which assemble WAT and wrap core modules. */
export async function importJco(folder: string): Promise<typeof Jco> {
  return (await importAuthorModule('@bytecodealliance/jco', folder)) as typeof Jco;
}

/** Imports the compiler from JavaScript to components. */
export async function importQjs(folder: string): Promise<typeof Qjs> {
  return (await importAuthorModule('componentize-qjs', folder)) as typeof Qjs;
}

/** Imports the toolkit that rewrites WebAssembly. */
export async function importBinaryen(folder: string): Promise<typeof Binaryen> {
  const found = z.object({ default: z.unknown() }).parse(await importAuthorModule('binaryen', folder));
  return found.default as typeof Binaryen;
}

/** Imports the TypeScript compiler. */
export async function importTypeScript(folder: string): Promise<typeof TypeScript> {
  const { default: ts } = z.object({ default: z.unknown() }).parse(await importAuthorModule('typescript', folder));
  return ts as typeof TypeScript;
}
