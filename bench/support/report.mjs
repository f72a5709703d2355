// @ts-check
import { machineText } from './machine.mjs';

/**
 * A target: `most` or `least`.
 * @typedef {{ name: string, most?: number, least?: number, measured: number | null, note?: string }} Target
 * @typedef {import('./calls.mjs').Row | { name: string, value: number, unit: string }} Row
 * @typedef {{ title: string, unit: string, rows: readonly Row[], targets: readonly Target[] }} Section
 * @typedef {{ name: string, target: string, measured: number | null, met: boolean, note?: string }} Judged
 * @typedef {{ machine: import('./machine.mjs').Machine, targets: readonly Judged[], sections: readonly Section[] }} Report
 */

/**
 * @param {Target} target
 * @returns {Judged}
 */
export function judge({ name, most, least, measured, note }) {
  const met = measured !== null && measured <= (most ?? Infinity) && measured >= (least ?? -Infinity);
  const target = most === undefined ? `≥ ${least}` : `≤ ${most}`;
  const shown = measured === null ? null : Number(measured.toFixed(measured < 10 ? 2 : 0));
  return { name, target, measured: shown, met, ...(note === undefined ? {} : { note }) };
}

/** @param {Report} report */
export function reportText({ machine, targets, sections }) {
  return [machineText(machine), ...sections.map(sectionText), targetsText(targets)].join('\n');
}

/**
 * @param {Section} section
 * @returns {string}
 */
function sectionText({ title, unit, rows }) {
  const width = Math.max(...rows.map(({ name }) => name.length));
  const lines = rows.map((row) => {
    const name = row.name.padEnd(width);
    if ('value' in row) return `  ${name}  ${format(row.value).padStart(8)} ${row.unit}`;
    const failed = row.failed > 0 ? `  ${row.failed} of ${row.calls} FAILED` : '';
    return `  ${name}  ${[row.p50, row.p95, row.p99].map((us) => format(us).padStart(8)).join(' ')}${failed}`;
  });
  const head = rows.some((row) => 'p50' in row) ? [`  ${''.padEnd(width)}       p50      p95      p99  ${unit}`] : [];
  return [title, ...head, ...lines, ''].join('\n');
}

/** @param {readonly Judged[]} judged */
function targetsText(judged) {
  const width = Math.max(...judged.map(({ name }) => name.length));
  const lines = judged.map(({ name, target, measured, met, note }) => {
    const value = measured === null ? 'not measured' : String(measured);
    return `  ${met ? '✓' : '✗'} ${name.padEnd(width)}  ${value.padStart(8)}  (${target})${note ? `  ${note}` : ''}`;
  });
  return ['Targets', ...lines, ''].join('\n');
}

/** @param {number} value */
function format(value) {
  return value >= 100 ? String(Math.round(value)) : value.toFixed(value >= 10 ? 1 : 2);
}
