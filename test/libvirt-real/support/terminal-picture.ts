/** One line of a terminal: a command that was typed, or what was printed. */
export interface TerminalLine {
  readonly text: string;
  readonly typed?: boolean;
}

const [charWidth, lineHeight, padding, columns] = [8.4, 20, 16, 92];

/** Draws a terminal session as an SVG. Long lines are wrapped, as a terminal does. */
export function terminalPicture(session: readonly TerminalLine[]): string {
  const rows = session.flatMap(({ text, typed = false }) => {
    const colour = typed ? '#7ee787' : text.startsWith('error:') ? '#ffa198' : '#e6edf3';
    return wrap(typed ? `# ${text}` : text).map((row) => ({ row, colour }));
  });
  const width = Math.ceil(columns * charWidth) + 2 * padding;
  const height = rows.length * lineHeight + 2 * padding + lineHeight;
  const texts = rows.map(({ row, colour }, at) => {
    const y = padding + lineHeight * (at + 2) - 6;
    return `  <text x="${padding}" y="${y}" fill="${colour}" xml:space="preserve">${escape(row)}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="14">`,
    `  <rect width="${width}" height="${height}" rx="8" fill="#0d1117"/>`,
    ...['#ff5f57', '#febc2e', '#28c840'].map(
      (colour, at) => `  <circle cx="${padding + 6 + at * 18}" cy="18" r="5" fill="${colour}"/>`,
    ),
    ...texts,
    '</svg>',
    '',
  ].join('\n');
}

function wrap(text: string): string[] {
  const rows = [];
  for (let at = 0; at === 0 || at < text.length; at += columns) rows.push(text.slice(at, at + columns));
  return rows;
}

function escape(text: string): string {
  return text.replace(/&/gu, '&amp;').replace(/</gu, '&lt;').replace(/>/gu, '&gt;');
}
