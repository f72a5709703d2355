import { HookvisorError } from '../errors.js';

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

/** A configuration that cannot be used; the message lists every problem, one per line. */
export class ConfigError extends HookvisorError {
  override readonly name = 'ConfigError';
  readonly problems: readonly ConfigProblem[];

  constructor(
    code: ConfigErrorCode,
    message: string,
    options: { cause?: unknown; file: string; problems?: readonly ConfigProblem[] },
  ) {
    const problems = options.problems ?? [];
    super(code, message, {
      ...('cause' in options ? { cause: options.cause } : {}),
      fields: { file: options.file, problems: problems.length },
    });
    this.problems = problems;
  }
}

/**
 * Creates the error for an invalid file; each line is `FILE:LINE:COLUMN PATH: what is wrong; what to write`, sorted by
 * position. `what` names the purpose of the file.
 */
export function invalidConfig(file: string, found: readonly ConfigProblem[], what = 'configuration'): ConfigError {
  const problems = [...found].sort((a, b) => a.line - b.line || a.column - b.column);
  const lines = problems.map(
    ({ path, line, column, message }) => `${file}:${line}:${column} ${path === '' ? '' : `${path}: `}${message}`,
  );
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  return new ConfigError(
    'config-invalid',
    `Cannot use the ${what} '${file}': it has ${count}; correct the following\n${lines.join('\n')}`,
    { file, problems },
  );
}
