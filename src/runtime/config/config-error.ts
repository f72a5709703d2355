import { HookvisorError } from '../../contract/errors.js';
import { bounds } from '../../contract/limits.js';

/** One problem in a configuration file. Line and column count from 1. */
export interface ConfigProblem {
  /** Path in the configuration, such as `routes[0].match.kind`; empty for the whole file. */
  readonly path: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** Codes of {@link ConfigError}: the file cannot be read, or its content is not valid. */
export type ConfigErrorCode = 'config-unreadable' | 'config-invalid';

/** A configuration that cannot be used; the message lists the problems, one per line, up to a bound. */
export class ConfigError extends HookvisorError {
  override readonly name = 'ConfigError';
  override readonly code: ConfigErrorCode;
  readonly problems: readonly ConfigProblem[];
  /** Total number of problems; `problems` may contain fewer. */
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
 * Creates the error for an invalid file; each line is `FILE:LINE:COLUMN PATH: what is wrong; what to write`, sorted by
 * position. `what` names the purpose of the file. Only the first problems are listed; the messages of the others are
 * never computed.
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
  if (count > problems.length) lines.push(`${file}: ${count - problems.length} more problems are not listed`);
  return new ConfigError(
    'config-invalid',
    `Cannot use the ${what} '${file}': it has ${count === 1 ? '1 problem' : `${count} problems`}; correct the following\n${lines.join('\n')}`,
    { file, problems, count },
  );
}
