import { HookvisorError } from '../errors.js';
import { bounds } from '../limits.js';

/** One thing that is wrong in a configuration file. Line and column count from 1. */
export interface ConfigProblem {
  /** Where in the configuration, such as `routes[0].match.kind`; empty for the file as a whole. */
  readonly path: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** Codes of {@link ConfigError}: the file cannot be read, or what it says cannot be used. */
export type ConfigErrorCode = 'config-unreadable' | 'config-invalid';

/** A configuration that cannot be used; its message lists the problems, one a line, as far as `bounds` allows. */
export class ConfigError extends HookvisorError {
  override readonly name = 'ConfigError';
  override readonly code: ConfigErrorCode;
  readonly problems: readonly ConfigProblem[];
  /** How many problems there are; `problems` may hold fewer. */
  readonly count: number;

  constructor(
    code: ConfigErrorCode,
    message: string,
    options: { cause?: unknown; file: string; problems?: readonly ConfigProblem[]; count?: number },
  ) {
    const problems = options.problems ?? [];
    const count = options.count ?? problems.length;
    super(code, message, {
      ...('cause' in options ? { cause: options.cause } : {}),
      fields: { file: options.file, problems: count },
    });
    this.code = code;
    this.problems = problems;
    this.count = count;
  }
}

/**
 * The error for a file that was read: `FILE:LINE:COLUMN PATH: what is wrong; what to write`, sorted by position. `what`
 * says what the file is. Only the first problems are listed; their messages are not asked for before.
 */
export function invalidConfig(file: string, found: readonly ConfigProblem[], what = 'configuration'): ConfigError {
  const count = found.length;
  const problems = [...found]
    .sort((a, b) => a.line - b.line || a.column - b.column)
    .slice(0, bounds.listedProblems)
    .map(({ path, line, column, message }): ConfigProblem => ({ path, line, column, message }));
  const lines = problems.map(
    ({ path, line, column, message }) => `${file}:${line}:${column} ${path === '' ? '' : `${path}: `}${message}`,
  );
  if (count > problems.length)
    lines.push(`${file}: there are more problems, ${count - problems.length} of them are not listed`);
  return new ConfigError(
    'config-invalid',
    `Cannot use the ${what} '${file}': it has ${count === 1 ? '1 problem' : `${count} problems`}; correct what is listed\n${lines.join('\n')}`,
    { file, problems, count },
  );
}
