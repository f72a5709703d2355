import { stripVTControlCharacters } from 'node:util';

/**
 * Formats aligned columns, separated by two spaces, without trailing blanks. Cells may be coloured but must not contain
 * other control characters (see oneLine).
 */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...lines.map((line) => width(line[column] ?? ''))));
  return lines.map((line) => `${row(line, widths)}\n`).join('');
}

/** Formats one row of a table with known column widths, for tables that grow while they are shown. */
export function row(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, column) => cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - width(cell))))
    .join('  ')
    .trimEnd();
}

function width(cell: string): number {
  return Array.from(stripVTControlCharacters(cell)).length;
}
