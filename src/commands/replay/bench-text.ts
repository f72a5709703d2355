import { type Distribution, distributionOf, histogramOf } from './distribution.js';
import type { Measurement } from './measure.js';
import { oneLine } from '../../contract/text.js';
import { table } from '../terminal/table.js';
import type { Stream } from '../terminal/terminal.js';

const barWidth = 40;

/** Formats a measurement for people. */
export function benchText(
  measured: Measurement,
  { file, events, out }: { readonly file: string; readonly events: number; readonly out: Stream },
): string {
  const { admissionMs, loadMs, bytes, digest, memory, outcomes } = measured;
  const mib = (size: number): string => `${(size / 1_048_576).toFixed(1)} MiB`;
  const rows = [
    ['call', ...cells(distributionOf(measured.callMs), timeText)],
    ['instance', ...cells(distributionOf(measured.instantiationMs), timeText)],
    ['fuel', ...cells(distributionOf(measured.fuel), (fuel) => String(Math.round(fuel)))],
  ];
  const said = Object.entries(outcomes).map(([word, count]) => `${word} ${count}`);
  return [
    `${out.paint('bold', oneLine(file, 200))}  ${bytes} bytes, sha256 ${digest.slice(0, 12)}…\n`,
    `${measured.callMs.length} calls with ${events} events: ${said.join(', ')}\n\n`,
    table(['', 'p50', 'p90', 'p99', 'max', 'mean'], rows),
    `\nadmitted in ${timeText(admissionMs)} (once), loaded in ${timeText(loadMs)} (once per runner)\n`,
    `memory of the runner: ${mib(memory.empty)} empty, ${mib(memory.loaded)} with the plug-in, ` +
      `${mib(memory.after)} after the calls\n`,
    `\ncall time\n`,
    histogramText(measured.callMs, out),
  ].join('');
}

function cells({ p50, p90, p99, max, mean }: Distribution, text: (value: number) => string): string[] {
  return [p50, p90, p99, max, mean].map(text);
}

function histogramText(values: readonly number[], out: Stream): string {
  const bars = histogramOf(values);
  const most = Math.max(1, ...bars.map(({ count }) => count));
  return bars
    .map(({ from, to, count }) => {
      const range = `${timeText(from).padStart(8)} – ${timeText(to).padEnd(8)}`;
      const full = Math.ceil((barWidth * count) / most);
      return `  ${range} ${out.paint('cyan', '█'.repeat(full))}${full === 0 ? '' : ' '}${count}\n`;
    })
    .join('');
}

/** Formats milliseconds in the unit that keeps the number short. */
export function timeText(ms: number): string {
  if (ms < 1) return `${Math.round(ms * 1_000)} µs`;
  return ms < 1_000 ? `${ms.toFixed(ms < 10 ? 2 : 1)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}
