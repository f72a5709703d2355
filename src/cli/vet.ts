import { createHash } from 'node:crypto';
import { constants, open } from 'node:fs/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { parseMemory } from '../config/units.js';
import { HookvisorError, messageOf } from '../errors.js';
import { bounds, defaultLimits } from '../limits.js';
import { createAdmission } from '../sandbox/admission.js';
import { createLauncher } from '../sandbox/launcher.js';
import type { VetReport } from '../sandbox/vet-report.js';
import { jsonLine } from '../text.js';
import { type CommandContext, exitStatus, newCommand } from './command.js';
import { describeReport } from './vet-text.js';

interface VetOptions {
  readonly memory: number;
  readonly json?: true;
}

/** `hookvisor vet`: what a plugin is, what it can and cannot do, and whether it would be admitted. Nothing of it runs. */
export function vetCommand({ terminal, finish }: CommandContext): Command {
  const { out } = terminal;
  return newCommand('vet', 'say what a plugin can and cannot do, and whether it would be admitted', [
    'hookvisor vet plugins/naming.wasm',
    'hookvisor vet plugin.wasm --memory 128MiB --json',
  ])
    .argument('<file>', 'a component or an Extism module, .wasm')
    .option('--memory <size>', "the limit of its memory, as the handler's", memoryOption, defaultLimits.memoryBytes)
    .option('--json', 'print the report as JSON')
    .action(async (file: string, { memory, json }: VetOptions) => {
      const report = await vetFile(file, memory);
      out.write(json === true ? jsonLine(report) : describeReport(file, report, out));
      finish(report.verdict === 'admitted' ? exitStatus.success : exitStatus.negative);
    });
}

/** Looks a file over in a process of its own. Throws HookvisorError `plugin-unreadable`. */
async function vetFile(file: string, memoryBytes: number): Promise<VetReport> {
  const { bytes, size, sha256 } = await readPlugin(file);
  const refused = (reason: VetReport['reasons'][number]): VetReport => ({
    verdict: 'refused',
    backend: null,
    bytes: size,
    sha256,
    memoryBytes,
    modules: [],
    features: [],
    producers: [],
    imports: [],
    exports: [],
    can: [],
    cannot: [],
    reasons: [reason],
    hardenedBytes: null,
  });
  if (bytes === null) {
    const message = `it has ${size} bytes; at most ${bounds.pluginBytes} are allowed`;
    return refused({ rule: 'size', code: 'plugin-refused', message, fields: { rule: 'size', bytes: size } });
  }
  await using admission = createAdmission(createLauncher());
  try {
    return await admission.vet(bytes, memoryBytes);
  } catch (error) {
    // A plugin at which a parser or compiler gives up is not admitted, either.
    if (!(error instanceof HookvisorError) || error.code !== 'admission-failed') throw error;
    const { code, message, fields } = error;
    return refused({ rule: 'complexity', code, message: message.replace(/^Cannot admit a plugin: /u, ''), fields });
  }
}

/** `bytes` is null for a file that is too large to be looked at. */
async function readPlugin(file: string): Promise<{ bytes: Buffer | null; size: number; sha256: string }> {
  const fail = (what: string, cause?: unknown): HookvisorError =>
    new HookvisorError('plugin-unreadable', `Cannot read plugin '${file}': ${what}`, {
      ...(cause === undefined ? {} : { cause }),
      fields: { source: file },
    });
  try {
    // A pipe in the place of the file must not keep the command waiting for its writer.
    await using opened = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const stat = await opened.stat();
    if (!stat.isFile()) throw fail('it is not a regular file; name a .wasm file');
    const digest = createHash('sha256');
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of opened.createReadStream({ autoClose: false })) {
      // A stream without an encoding gives buffers; its type does not say so.
      const part = chunk as Buffer;
      digest.update(part);
      size += part.length;
      if (size <= bounds.pluginBytes) chunks.push(part);
    }
    const bytes = size > bounds.pluginBytes ? null : Buffer.concat(chunks);
    return { bytes, size, sha256: digest.digest('hex') };
  } catch (error) {
    if (error instanceof HookvisorError) throw error;
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    throw fail(missing ? 'there is no such file; name a .wasm file' : `${messageOf(error)}; name a .wasm file`, error);
  }
}

function memoryOption(text: string): number {
  const parsed = parseMemory(text);
  if ('value' in parsed) return parsed.value;
  throw new InvalidArgumentError(`'${text}' ${parsed.wrong}`);
}
