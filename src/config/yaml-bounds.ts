import { CST, Lexer } from 'yaml';
import { bounds } from '../limits.js';

/**
 * What is wrong with a text that has more tokens than a YAML file may have, else null. A token makes at most one value,
 * so this bounds what the parser builds before it begins.
 */
export function tooManyTokens(text: string): string | null {
  const most = bounds.yamlTokens;
  let tokens = 0;
  for (const lexeme of new Lexer().lex(text)) {
    // A mark of the lexer's own, or what keeps two tokens apart.
    if (lexeme === CST.SCALAR || CST.tokenType(lexeme) === 'space') continue;
    tokens += 1;
    if (tokens > most) return `has more than ${most} words, punctuation marks and lines; remove what is not needed`;
  }
  return null;
}

/** What is wrong with data that is too large with every alias expanded, or nested too deeply, else null. */
export function excessOf(root: unknown): string | null {
  const { yamlLevels: levels, yamlTokens: mostValues, configBytes: mostChars } = bounds;
  let values = 0;
  let chars = 0;
  const excess = (value: unknown, left: number): string | null => {
    values += 1;
    if (typeof value === 'string') chars += value.length;
    if (values > mostValues || chars > mostChars) {
      return `stands for more than ${mostValues} values or ${mostChars} characters with its aliases; use fewer of them`;
    }
    if (typeof value !== 'object' || value === null) return null;
    if (left === 0) return `is nested deeper than ${levels} levels; nest less deeply`;
    for (const [key, inner] of Object.entries(value)) {
      if (!Array.isArray(value)) chars += key.length;
      const found = excess(inner, left - 1);
      if (found !== null) return found;
    }
    return null;
  };
  return excess(root, levels);
}
