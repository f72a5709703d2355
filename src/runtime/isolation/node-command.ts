import { existsSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { packageRoot } from '../../shared/paths.js';

/** A program for Node. The permission model only allows it to read what is listed here. */
export interface NodeProgram {
  /** Absolute path of the compiled file. */
  readonly file: string;
  /** Limit of V8's heap, MiB. The linear memory of plug-ins is outside the heap and has its own limit. */
  readonly heapMiB: number;
  /** The packages that it imports, directly or indirectly. */
  readonly packages: readonly string[];
  /** Additional files and folders that it reads. */
  readonly reads?: readonly string[];
  /** Waits for a debugger at {@link inspectorAddress}. Disables the permission model, which forbids debugging. */
  readonly inspect?: boolean;
}

export const inspectorAddress = '127.0.0.1:9229';

const permissionFlag = ['--permission', '--experimental-permission'].find((flag) =>
  process.allowedNodeEnvironmentFlags.has(flag),
);

export const hasPermissionModel = permissionFlag !== undefined;

/** The real path of the Node that runs the runtime, even if it was started through a link. */
export const nodeBinary = realpathSync(process.execPath);

/** Returns the command line that runs a program under Node's permission model, and what it can read. */
export function nodeCommand(program: NodeProgram): { command: string[]; readable: string[] } {
  const readable = [...readablePaths(program.packages), ...(program.reads ?? [])];
  return { command: [nodeBinary, ...nodeFlags(program, readable), program.file], readable };
}

function nodeFlags({ heapMiB, inspect }: NodeProgram, readable: readonly string[]): string[] {
  const flags = ['--no-warnings', '--disable-sigusr1', ...heapFlags(heapMiB)].filter(isFlag);
  // QuickJS components use extended constant expressions, which V8 in Node 20 supports only with a flag.
  if (process.versions.node.startsWith('20.')) flags.push('--experimental-wasm-extended-const');
  if (inspect === true) return [...flags, `--inspect-brk=${inspectorAddress}`];
  if (permissionFlag === undefined) return flags;
  const reads = readable.map((path) => `--allow-fs-read=${statSync(path).isDirectory() ? join(path, '*') : path}`);
  return [...flags, permissionFlag, ...reads];
}

/**
 * After a few idle seconds, V8 would collect garbage and discard compiled code that events need. The runtime tells its
 * runners when to collect instead.
 */
function heapFlags(heapMiB: number): string[] {
  return [`--max-old-space-size=${heapMiB}`, '--no-memory-reducer'];
}

/** `--disable-sigusr1` exists since Node 22.14 and 23.7. */
function isFlag(flag: string): boolean {
  return flag !== '--disable-sigusr1' || process.allowedNodeEnvironmentFlags.has(flag);
}

/** Returns the build output of this package and the named packages. */
export function readablePaths(packages: readonly string[]): string[] {
  const own = [join(packageRoot, 'dist'), join(packageRoot, 'package.json')];
  return [...own, ...packages.flatMap((name) => packageFolders(name))];
}

/** Returns where Node finds a package from a folder, and its real path: pnpm uses links. */
export function packageFolders(name: string, from = packageRoot): string[] {
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    const place = join(folder, 'node_modules', name);
    if (existsSync(place)) return [...new Set([place, realpathSync(place)])];
    if (folder === dirname(folder)) return [];
  }
}
