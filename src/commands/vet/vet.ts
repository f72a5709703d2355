import { createHash } from 'node:crypto';
import { type Command, InvalidArgumentError } from 'commander';
import { type Parsed, parseMemory, parsePluginSize } from '../../runtime/config/units.js';
import { hasCode } from '../../contract/error-code.js';
import { type ErrorFields, HookvisorError, messageOf } from '../../contract/errors.js';
import { defaultLimits, defaultPluginBytes } from '../../contract/limits.js';
import { createAdmission } from '../../runtime/plugins/admission.js';
import { createLauncher } from '../../runtime/isolation/launcher.js';
import { type BoundedFile, readBounded } from '../../runtime/plugins/read-bounded.js';
import { sizeObjection } from '../../contract/size-objection.js';
import type { VetReport } from '../../contract/vet-report.js';
import { jsonLine } from '../../contract/text.js';
import { type CommandContext, exitStatus, newCommand } from '../command.js';
import { describeReport } from './vet-text.js';

interface VetOptions {
  readonly memory: number;
  readonly pluginSize: number;
  readonly json?: true;
}

type SizeLimits = Pick<VetReport, 'memoryBytes' | 'pluginBytes'>;

/** Implements `hookvisor vet`: reports what a plug-in can do and whether it would be admitted, without running it. */
export function vetCommand({ terminal, finish }: CommandContext): Command {
  const { out } = terminal;
  return newCommand('vet', 'report what a plug-in can and cannot do, and whether it would be admitted', [
    'hookvisor vet plugins/naming.wasm',
    'hookvisor vet plugin.wasm --memory 128MiB --json',
  ])
    .argument('<file>', 'a component or an Extism module, .wasm')
    .option(
      '--memory <size>',
      "memory limit, like the handler's key memory",
      sizeOption(parseMemory),
      defaultLimits.memoryBytes,
    )
    .option(
      '--plugin-size <size>',
      "maximum file size, like the handler's key pluginSize",
      sizeOption(parsePluginSize),
      defaultPluginBytes,
    )
    .option('--json', 'print the report as JSON')
    .action(async (file: string, { memory, pluginSize, json }: VetOptions) => {
      const report = await vetFile(file, { memoryBytes: memory, pluginBytes: pluginSize });
      out.write(json === true ? jsonLine(report) : describeReport(file, report, out));
      finish(report.verdict === 'admitted' ? exitStatus.success : exitStatus.negative);
    });
}

/** Vets a file in a separate process. Throws HookvisorError `plugin-unreadable`. */
async function vetFile(file: string, limits: SizeLimits): Promise<VetReport> {
  const read = await readPlugin(file, limits.pluginBytes);
  if (read.found === 'too-large') {
    return refusedReport({
      bytes: read.size,
      sha256: null,
      limits,
      reason: sizeObjection(read.size, limits.pluginBytes),
    });
  }
  const { bytes } = read;
  await using admission = createAdmission(createLauncher());
  try {
    return await admission.vet(bytes, limits);
  } catch (error) {
    // A plug-in that a parser or compiler cannot handle is refused as well.
    if (!(error instanceof HookvisorError) || error.code !== 'admission-failed') throw error;
    const { code, message, fields } = error;
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const said = message.replace(/^Cannot admit a plug-?in: /u, '');
    const reason = { rule: 'complexity', code, message: said, fields } as const;
    return refusedReport({ bytes: bytes.length, sha256, limits, reason });
  }
}

interface Refused {
  readonly bytes: number;
  readonly sha256: string | null;
  readonly limits: SizeLimits;
  readonly reason: Omit<VetReport['reasons'][number], 'fields'> & { readonly fields: ErrorFields };
}

/** Builds the report of a plug-in that was refused before it could be examined. */
function refusedReport({ bytes, sha256, limits, reason }: Refused): VetReport {
  return {
    verdict: 'refused',
    backend: null,
    bytes,
    sha256,
    ...limits,
    modules: [],
    features: [],
    producers: [],
    imports: [],
    exports: [],
    can: [],
    cannot: [],
    reasons: [{ ...reason, fields: { ...reason.fields } }],
    hardenedBytes: null,
  };
}

async function readPlugin(file: string, most: number): Promise<Extract<BoundedFile, { found: 'file' | 'too-large' }>> {
  const fail = (what: string, cause?: unknown): HookvisorError =>
    new HookvisorError('plugin-unreadable', `Cannot read the plug-in '${file}': ${what}`, {
      ...(cause === undefined ? {} : { cause }),
      fields: { source: file },
    });
  const read = await readBounded(file, most).catch((error: unknown) => {
    const missing = hasCode(error, 'ENOENT');
    throw fail(
      missing ? 'there is no such file; specify a .wasm file' : `${messageOf(error)}; specify a .wasm file`,
      error,
    );
  });
  if (read.found === 'folder' || read.found === 'special') {
    throw fail('it is not a regular file; specify a .wasm file');
  }
  return read;
}

/** Adapts a parser of the configuration to a command line option. */
function sizeOption(parse: (text: string) => Parsed): (text: string) => number {
  return (text) => {
    const parsed = parse(text);
    if ('value' in parsed) return parsed.value;
    throw new InvalidArgumentError(`'${text}' ${parsed.wrong}`);
  };
}
