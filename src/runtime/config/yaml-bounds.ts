import { CST, Lexer } from 'yaml';
import { bounds } from '../../contract/limits.js';

/**
 * Returns a problem if the text has more tokens than allowed, otherwise null. A token creates at most one value, so
 * this bounds the work of the parser in advance.
 */
export function tooManyTokens(text: string): string | null {
  const most = bounds.yamlTokens;
  let tokens = 0;
  for (const lexeme of new Lexer().lex(text)) {
    // An internal mark of the lexer, or white space between tokens.
    if (lexeme === CST.SCALAR || CST.tokenType(lexeme) === 'space') continue;
    tokens += 1;
    if (tokens > most) return `has more than ${most} words, punctuation marks and lines; shorten the file`;
  }
  return null;
}

/** Returns a problem if the data is too large with all aliases expanded, or nested too deeply, otherwise null. */
export function excessOf(root: unknown): string | null {
  const { yamlLevels: levels, yamlTokens: mostValues, configBytes: mostChars } = bounds;
  let values = 0;
  let chars = 0;
  const excess = (value: unknown, left: number): string | null => {
    values += 1;
    if (typeof value === 'string') chars += value.length;
    if (values > mostValues || chars > mostChars) {
      return `expands to more than ${mostValues} values or ${mostChars} characters; use fewer aliases`;
    }
    if (typeof value !== 'object' || value === null) return null;
    if (left === 0) return `is nested deeper than ${levels} levels; reduce the nesting`;
    for (const [key, inner] of Object.entries(value)) {
      if (!Array.isArray(value)) chars += key.length;
      const found = excess(inner, left - 1);
      if (found !== null) return found;
    }
    return null;
  };
  return excess(root, levels);
}
