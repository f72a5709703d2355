import { existsSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { packageRoot } from '../../shared/paths.js';

/** A program for Node. Its permission model lets it read what is named here, and nothing else. */
export interface NodeProgram {
  /** Absolute path of the compiled file. */
  readonly file: string;
  /** Bound of V8's heap, MiB. A plugin's linear memory lies outside and has its own limit. */
  readonly heapMiB: number;
  /** The packages that it imports, directly or not. */
  readonly packages: readonly string[];
  /** Further files and folders that it reads. */
  readonly reads?: readonly string[];
  /** Waits for a debugger at {@link inspectorAddress}. The permission model, which forbids that, is off then. */
  readonly inspect?: boolean;
}

export const inspectorAddress = '127.0.0.1:9229';

const permissionFlag = ['--permission', '--experimental-permission'].find((flag) =>
  process.allowedNodeEnvironmentFlags.has(flag),
);

export const hasPermissionModel = permissionFlag !== undefined;

/** The program of the runtime itself, whatever link it was started by. */
export const nodeBinary = realpathSync(process.execPath);

/** The command line that runs a program under Node's permission model, and what it can read. */
export function nodeCommand(program: NodeProgram): { command: string[]; readable: string[] } {
  const readable = [...readablePaths(program.packages), ...(program.reads ?? [])];
  return { command: [nodeBinary, ...nodeFlags(program, readable), program.file], readable };
}

function nodeFlags({ heapMiB, inspect }: NodeProgram, readable: readonly string[]): string[] {
  const flags = ['--no-warnings', '--disable-sigusr1', ...heapFlags(heapMiB)].filter(isFlag);
  // V8 of Node 20 takes extended constant expressions, which QuickJS components use, only on request.
  if (process.versions.node.startsWith('20.')) flags.push('--experimental-wasm-extended-const');
  if (inspect === true) return [...flags, `--inspect-brk=${inspectorAddress}`];
  if (permissionFlag === undefined) return flags;
  const reads = readable.map((path) => `--allow-fs-read=${statSync(path).isDirectory() ? join(path, '*') : path}`);
  return [...flags, permissionFlag, ...reads];
}

/**
 * After some quiet seconds V8 would collect by itself, and drop the compiled code of what is used at events. The runtime
 * tells its runners when to collect.
 */
function heapFlags(heapMiB: number): string[] {
  return [`--max-old-space-size=${heapMiB}`, '--no-memory-reducer'];
}

/** `--disable-sigusr1` came with Node 22.14 and 23.7. */
function isFlag(flag: string): boolean {
  return flag !== '--disable-sigusr1' || process.allowedNodeEnvironmentFlags.has(flag);
}

/** What was built of this package, and the packages that are named. */
export function readablePaths(packages: readonly string[]): string[] {
  const own = [join(packageRoot, 'dist'), join(packageRoot, 'package.json')];
  return [...own, ...packages.flatMap((name) => packageFolders(name))];
}

/** Where Node finds a package from a folder, and where that really is: pnpm makes links. */
export function packageFolders(name: string, from = packageRoot): string[] {
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    const place = join(folder, 'node_modules', name);
    if (existsSync(place)) return [...new Set([place, realpathSync(place)])];
    if (folder === dirname(folder)) return [];
  }
}
