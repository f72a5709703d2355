import { existsSync, realpathSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import { packageRoot } from '../paths.js';

/** A program for Node, and what Node lets it do. */
export interface NodeProgram {
  /** Absolute path of the compiled file. */
  readonly file: string;
  /** Bound of V8's heap, MiB. A plugin's linear memory lies outside and has its own limit. */
  readonly heapMiB: number;
  /** What the permission model grants beside reading. */
  readonly grants: readonly ('--allow-worker' | '--allow-addons')[];
  /** Further files and folders that it reads. */
  readonly reads?: readonly string[];
}

const permissionFlag = ['--permission', '--experimental-permission'].find((flag) =>
  process.allowedNodeEnvironmentFlags.has(flag),
);

export const hasPermissionModel = permissionFlag !== undefined;

/** The program of the runtime itself, whatever link it was started by. */
export const nodeBinary = realpathSync(process.execPath);

/** The command line that runs a program under Node's permission model, and what it can read. */
export function nodeCommand(program: NodeProgram): { command: string[]; readable: string[] } {
  const readable = [...readablePaths(), ...(program.reads ?? [])];
  return { command: [nodeBinary, ...nodeFlags(program, readable), program.file], readable };
}

function nodeFlags({ heapMiB, grants }: NodeProgram, readable: readonly string[]): string[] {
  const flags = ['--no-warnings', '--disable-sigusr1', `--max-old-space-size=${heapMiB}`].filter(isFlag);
  // V8 of Node 20 takes extended constant expressions, which QuickJS components use, only on request.
  if (process.versions.node.startsWith('20.')) flags.push('--experimental-wasm-extended-const');
  if (permissionFlag === undefined) return flags;
  const reads = readable.map((path) => `--allow-fs-read=${statSync(path).isDirectory() ? join(path, '*') : path}`);
  return [...flags, permissionFlag, ...grants, ...reads];
}

/** `--disable-sigusr1` came with Node 22.14 and 23.7. */
function isFlag(flag: string): boolean {
  return flag !== '--disable-sigusr1' || process.allowedNodeEnvironmentFlags.has(flag);
}

/** The package itself and the folders in which Node looks for its dependencies. */
export function readablePaths(): string[] {
  const paths = [join(packageRoot, 'dist'), join(packageRoot, 'package.json'), join(packageRoot, 'node_modules')];
  // Installed as a dependency, the package's own dependencies usually lie beside it.
  const parts = packageRoot.split(sep);
  const outer = parts.lastIndexOf('node_modules');
  if (outer > 0) paths.push(parts.slice(0, outer + 1).join(sep));
  return paths.filter((path) => existsSync(path));
}
