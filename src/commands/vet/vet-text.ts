import type { VetClaim, VetReport } from '../../contract/vet-report.js';
import { oneLine } from '../../contract/text.js';
import type { Stream } from '../terminal/terminal.js';

const lineChars = 400;

/** Formats a report for people. Names in it come from the plug-in and are made safe for a terminal. */
export function describeReport(file: string, report: VetReport, out: Stream): string {
  const { verdict, reasons, can, cannot } = report;
  const lines = [`${out.paint('bold', oneLine(file, lineChars))}: ${kindOf(report)}\n`, facts(report)];
  if (can.length > 0) lines.push('\nIt can:\n', claims(can));
  if (cannot.length > 0) lines.push('\nIt cannot:\n', claims(cannot));
  if (reasons.length > 0) {
    lines.push('\nIt is refused because:\n');
    for (const { message, code, rule } of reasons)
      lines.push(`  - ${oneLine(message, lineChars)} (${code}: ${rule})\n`);
  }
  const [colour, end] =
    verdict === 'admitted' ? (['green', 'it complies with all rules'] as const) : (['red', why(report)] as const);
  return `${lines.join('')}\n${out.paint(colour, verdict)}: ${end}\n`;
}

function kindOf({ backend }: VetReport): string {
  if (backend === null) return 'not a plug-in that could be examined';
  return backend === 'component' ? 'a component (backend: component)' : 'a core module (backend: extism)';
}

function why({ reasons }: VetReport): string {
  return reasons.length === 1 ? 'see the reason above' : `see the ${reasons.length} reasons above`;
}

function facts(report: VetReport): string {
  const { modules } = report;
  const instances = modules.reduce((sum, module) => sum + module.instances, 0);
  const functions = modules.reduce((sum, module) => sum + module.functions, 0);
  const memories = modules.flatMap(({ memories: own }) => own);
  const tables = modules.flatMap(({ tables: own }) => own);
  const rows: [string, string][] = [
    ['size', `${inBytes(report.bytes)}${hardened(report)}`],
    ['sha256', report.sha256 ?? 'not read'],
    ['core modules', `${modules.length}, instantiated ${instances} times, ${functions} functions`],
    [
      'memories',
      listOf(
        memories.map(({ minimumBytes, maximumBytes }) =>
          range(inBytes(minimumBytes), maximumBytes === null ? null : inBytes(maximumBytes)),
        ),
      ),
    ],
    ['tables', listOf(tables.map(({ minimum, maximum }) => range(`${minimum} elements`, maximum)))],
    ['features', listOf(report.features)],
    ['produced by', listOf(report.producers.map(({ name, version }) => `${name} ${version}`.trim()))],
    ['imports', listOf(report.imports)],
    ['exports', listOf(report.exports)],
  ];
  const shown = modules.length === 0 ? rows.slice(0, 2) : rows;
  return shown.map(([what, value]) => `  ${what.padEnd(14)}${oneLine(value, lineChars)}\n`).join('');
}

function hardened({ hardenedBytes }: VetReport): string {
  return hardenedBytes === null ? '' : `, ${inBytes(hardenedBytes)} after hardening`;
}

function range(least: string, most: string | number | null): string {
  return `${least} initially, ${most === null ? 'no maximum of its own' : `at most ${most}`}`;
}

function inBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  return bytes < 1024 ** 2 ? `${rounded(bytes / 1024)} KiB` : `${rounded(bytes / 1024 ** 2)} MiB`;
}

function rounded(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function listOf(items: readonly string[]): string {
  return items.length === 0 ? 'none' : [...new Set(items)].join(', ');
}

function claims(all: readonly VetClaim[]): string {
  return all.map(({ ability, evidence }) => `  - ${ability}: ${oneLine(evidence, lineChars)}\n`).join('');
}
