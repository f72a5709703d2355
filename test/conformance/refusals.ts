import { beforeAll, describe, expect, it } from 'vitest';
import type { HookvisorError } from '../../src/contract/errors.js';
import { vetPlugin } from '../../src/admission/vet.js';
import * as generate from '../fixtures/hostile/generate.js';
import { errorOf } from '../support/sandbox.js';
import { hidden, hiddenPlugin } from '../support/hidden.js';
import { assemble } from '../support/hostile.js';
import { otherWorlds } from '../support/other-worlds.js';
import { moduleBytes } from '../support/plugins.js';
import type { Arena } from './arena.js';

const injection = '\'"`;\n${globalThis.process.exit(1)}//*/</script>\u2028';

/** A plugin of the Extism kind with more fields. */
const extism = (fields: string) => assemble('extism', fields);

interface Refused {
  readonly title: string;
  readonly backend: 'component' | 'extism';
  readonly plugin: () => Buffer | Promise<Buffer>;
  readonly code: 'plugin-refused' | 'plugin-invalid';
  /** A pattern of the message, or how it begins. */
  readonly message: RegExp | string;
}

const refused: Refused[] = [
  {
    title: 'a memory beyond the limit by declaration',
    backend: 'extism',
    plugin: () =>
      moduleBytes('(module (memory (export "memory") 65536) (func (export "handle") (result i32) (i32.const 0)))'),
    code: 'plugin-refused',
    message: /memory/u,
  },
  {
    title: 'a table of two million elements by declaration',
    backend: 'extism',
    plugin: () => extism('(table 2000000 funcref)'),
    code: 'plugin-refused',
    message: /at most 1000000 are allowed/u,
  },
  {
    title: 'a shared memory',
    backend: 'extism',
    plugin: () =>
      moduleBytes('(module (memory (export "memory") 1 2 shared) (func (export "handle") (result i32) (i32.const 0)))'),
    code: 'plugin-refused',
    message: /shared memory/u,
  },
  {
    title: 'a 64-bit memory',
    backend: 'extism',
    plugin: () =>
      moduleBytes('(module (memory (export "memory") i64 1) (func (export "handle") (result i32) (i32.const 0)))'),
    code: 'plugin-refused',
    message: /64-bit memory/u,
  },
  {
    title: 'an import of its own meter',
    backend: 'extism',
    plugin: () =>
      moduleBytes(
        '(module (import "hookvisor:meter" "fuel" (global (mut i64))) (memory (export "memory") 1) (func (export "handle") (result i32) (i32.const 0)))',
      ),
    code: 'plugin-refused',
    message: /hookvisor:meter/u,
  },
  {
    title: 'ten thousand functions of ten thousand locals',
    backend: 'extism',
    plugin: generate.manyLocals,
    code: 'plugin-refused',
    message: /locals/u,
  },
  {
    title: 'a hundred thousand nested blocks',
    backend: 'extism',
    plugin: () => generate.deepBlocks(100_000),
    code: 'plugin-refused',
    message: /100000 levels of nested blocks; at most 2000/u,
  },
  {
    title: 'a million exports',
    backend: 'extism',
    plugin: generate.manyExports,
    code: 'plugin-refused',
    message: /exports/u,
  },
  {
    title: 'a million data segments',
    backend: 'extism',
    plugin: generate.manySegments,
    code: 'plugin-refused',
    message: /segments/u,
  },
  {
    title: 'four thousand million types in five bytes',
    backend: 'extism',
    plugin: generate.announcedTypes,
    code: 'plugin-invalid',
    message: /truncated/u,
  },
  {
    title: 'a number without an end',
    backend: 'extism',
    plugin: generate.endlessNumber,
    code: 'plugin-invalid',
    message: /is not terminated/u,
  },
  {
    title: 'a name longer than the file',
    backend: 'extism',
    plugin: generate.longName,
    code: 'plugin-invalid',
    message: /truncated/u,
  },
  {
    title: 'five thousand components inside each other',
    backend: 'component',
    plugin: () => generate.deepComponents(5_000),
    code: 'plugin-invalid',
    message: /^Cannot admit the plug-in: /u,
  },
  {
    title: 'a hundred thousand lists of lists',
    backend: 'component',
    plugin: () => generate.deepTypes(100_000),
    code: 'plugin-invalid',
    message: /^Cannot admit the plug-in: /u,
  },
  {
    title: 'five thousand component types inside each other',
    backend: 'component',
    plugin: () => generate.nestedTypes(5_000),
    code: 'plugin-invalid',
    message: /^Cannot admit the plug-in: /u,
  },
  {
    title: 'an import whose name is JavaScript',
    backend: 'component',
    plugin: () => generate.importing(injection),
    code: 'plugin-refused',
    message: /^Cannot admit the plug-in: /u,
  },
  {
    title: 'an export whose name is JavaScript',
    backend: 'component',
    plugin: () => generate.exporting(injection),
    code: 'plugin-refused',
    message: /^Cannot admit the plug-in: /u,
  },
  {
    title: 'names of JavaScript in a core module',
    backend: 'component',
    plugin: () => generate.coreNames(injection),
    code: 'plugin-refused',
    message: /^Cannot admit the plug-in: /u,
  },
  {
    title: 'our interface in another version',
    backend: 'component',
    plugin: () => generate.importing('hookvisor:hook/document@0.2.0'),
    code: 'plugin-refused',
    message: /'hookvisor:hook\/document@0\.2\.0'/u,
  },
  {
    title: 'our interface without a version',
    backend: 'component',
    plugin: () => generate.importing('hookvisor:hook/document'),
    code: 'plugin-refused',
    message: /'hookvisor:hook\/document'/u,
  },
  {
    title: 'an HTTP function of Extism',
    backend: 'extism',
    plugin: () => moduleBytes('(module (import "extism:host/env" "http_request" (func (param i64 i64) (result i64))))'),
    code: 'plugin-refused',
    message: /'extism:host\/env' 'http_request'/u,
  },
  ...otherWorlds.map(({ title, plugin, code, says }) => ({
    ...{ title, backend: 'component' as const, plugin, code },
    message: `Cannot admit the plug-in: ${says}`,
  })),
];

for (const backend of ['extism', 'component'] as const) {
  for (const what of hidden) {
    refused.push({
      title: `a hidden ${what} in a plugin for ${backend}`,
      backend,
      plugin: () => hiddenPlugin(backend, what),
      code: 'plugin-refused',
      message:
        /it uses the value type 'ref null (?:32|14)' of WebAssembly's function references; only i32, i64, f32, f64, v128, funcref, externref are allowed$/u,
    });
  }
}

const preview1 =
  'args_get args_sizes_get clock_res_get clock_time_get environ_get environ_sizes_get fd_advise fd_allocate fd_close ' +
  'fd_datasync fd_fdstat_get fd_fdstat_set_flags fd_fdstat_set_rights fd_filestat_get fd_filestat_set_size ' +
  'fd_filestat_set_times fd_pread fd_prestat_dir_name fd_prestat_get fd_pwrite fd_read fd_readdir fd_renumber fd_seek ' +
  'fd_sync fd_tell fd_write path_create_directory path_filestat_get path_filestat_set_times path_link path_open ' +
  'path_readlink path_remove_directory path_rename path_symlink path_unlink_file poll_oneoff proc_exit proc_raise ' +
  'random_get sched_yield sock_accept sock_recv sock_send sock_shutdown';

const preview2 =
  'cli/environment cli/exit cli/run cli/stdin cli/stdout cli/stderr cli/terminal-input cli/terminal-output ' +
  'cli/terminal-stdin cli/terminal-stdout cli/terminal-stderr clocks/monotonic-clock clocks/wall-clock ' +
  'clocks/timezone filesystem/types filesystem/preopens http/types http/outgoing-handler http/incoming-handler ' +
  'io/error io/poll io/streams random/random random/insecure random/insecure-seed sockets/network ' +
  'sockets/instance-network sockets/ip-name-lookup sockets/tcp sockets/tcp-create-socket sockets/udp ' +
  'sockets/udp-create-socket keyvalue/store config/store logging/logging nn/graph';

/** Plugins that are not admitted. */
export function hostilePlugins(current: () => Arena): void {
  describe('admission refuses', () => {
    const errors = new Map<string, Promise<HookvisorError>>();
    beforeAll(async () => {
      for (const { title, backend, plugin } of refused) {
        const bytes = await plugin();
        const error = errorOf(current().load(backend, bytes));
        // Looked at by the test of that title.
        error.catch(() => undefined);
        errors.set(title, error);
      }
    }, 60_000);

    it.each(refused)(
      '$title',
      async ({ title, code, message }) => {
        const error = await errors.get(title);
        if (typeof message === 'string') expect(error?.message.slice(0, message.length)).toBe(message);
        else expect(error?.message).toMatch(message);
        expect(error?.message).not.toMatch(/[\n\u2028]/u);
        expect(error?.code).toBe(code);
      },
      60_000,
    );

    it('and the neighbour answers all the while', async () => {
      await current().neighbourAnswers();
      await Promise.all(errors.values());
      await current().neighbourAnswers();
      expect(await current().admissions()).toBe(0);
    }, 60_000);
  });

  describe('no import of WASI is admitted:', () => {
    it.each(preview1.split(' '))('wasi_snapshot_preview1 %s', async (name) => {
      const bytes = await moduleBytes(`(module (import "wasi_snapshot_preview1" "${name}" (func)))`);
      const error = await errorOf(Promise.resolve().then(() => vetPlugin(bytes, 'extism', { memoryBytes: 1e6 })));
      expect(error.code).toBe('plugin-refused');
      expect(error.message).toContain(`it imports 'wasi_snapshot_preview1' '${name}'`);
    });

    it.each(preview2.split(' ').flatMap((name) => ['0.2.0', '0.3.0'].map((version) => `wasi:${name}@${version}`)))(
      '%s',
      async (name) => {
        const vetted = (): unknown => vetPlugin(generate.importing(name), 'component', { memoryBytes: 1e6 });
        const error = await errorOf(Promise.resolve().then(vetted));
        expect(error.code).toBe('plugin-refused');
        expect(error.message).toContain(`it imports '${name}'`);
      },
    );
  });
}
