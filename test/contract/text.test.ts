import { describe, expect, it } from 'vitest';
import { jsonLine, oneLine, visibleLines } from '../../src/contract/text.js';

/** Characters by what they do to a reader; Unicode has thousands more. */
const tricks: readonly (readonly [title: string, char: string, shown: string])[] = [
  ['an escape', '\u001b', '\\x1b'],
  ['DEL', '\u007f', '\\x7f'],
  ['a C1 control sequence introducer', '\u009b', '\\x9b'],
  ['a next line', '\u0085', '\\x85'],
  ['a soft hyphen', '\u00ad', '\\xad'],
  ['a no-break space', '\u00a0', '\\xa0'],
  ['a combining grapheme joiner', '\u034f', '\\u034f'],
  ['an Arabic letter mark', '\u061c', '\\u061c'],
  ['a Hangul filler', '\u3164', '\\u3164'],
  ['a halfwidth Hangul filler', '\uffa0', '\\uffa0'],
  ['a Khmer inherent vowel', '\u17b4', '\\u17b4'],
  ['a Mongolian vowel separator', '\u180e', '\\u180e'],
  ['an em space', '\u2003', '\\u2003'],
  ['a zero width space', '\u200b', '\\u200b'],
  ['a zero width joiner', '\u200d', '\\u200d'],
  ['a right-to-left mark', '\u200f', '\\u200f'],
  ['a right-to-left override', '\u202e', '\\u202e'],
  ['a word joiner', '\u2060', '\\u2060'],
  ['invisible times', '\u2062', '\\u2062'],
  ['an isolate', '\u2067', '\\u2067'],
  ['a reserved default ignorable', '\u2065', '\\u2065'],
  ['an ideographic space', '\u3000', '\\u3000'],
  ['a variation selector', '\ufe0f', '\\ufe0f'],
  ['a byte order mark', '\ufeff', '\\ufeff'],
  ['an interlinear annotation', '\ufff9', '\\ufff9'],
  ['a noncharacter', '\ufffe', '\\ufffe'],
  ['private use', '\ue0b0', '\\ue0b0'],
  ['a musical format character', '\u{1d173}', '\\u{1d173}'],
  ['a tag', '\u{e0041}', '\\u{e0041}'],
  ['a variation selector of the supplement', '\u{e0100}', '\\u{e0100}'],
  ['private use of plane 16', '\u{10fffd}', '\\u{10fffd}'],
  ['half a character', '\ud800', '\ufffd'],
  ['the other half', '\udc41', '\ufffd'],
];

const harmless = 'naïve café Ω 日本語 العربية हिन्दी e\u0301 — “quoted” 🙂 \\x1b <&\'"> \ufffd';

const everyChar = Array.from({ length: 0x110000 }, (_, code) => String.fromCodePoint(code));
/** Said in another way than in the source: by general category, and by the two properties. */
const invisible = /\p{Default_Ignorable_Code_Point}|\p{Bidi_Control}|[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/u;

describe('oneLine', () => {
  it.each(tricks)('shows %s', (_, char, shown) => {
    expect(oneLine(`a${char}b`, 80)).toBe(`a${shown}b`);
    expect(oneLine(`${char}${char}`, 80)).toBe(`${shown}${shown}`);
  });

  it('leaves nothing of any character that hides, and what has a glyph as it is', () => {
    for (const char of everyChar) {
      const shown = oneLine(`a${char}b`, 80);
      if (invisible.test(char)) expect(shown).not.toContain(char);
      if (invisible.test(shown)) expect.fail(`U+${(char.codePointAt(0) ?? 0).toString(16)} is still there`);
    }
    expect(oneLine(harmless, 200)).toBe(harmless);
  });

  it('makes one line of several, and cuts', () => {
    expect(oneLine(' a\r\n\tb\u2028c\u2029 ', 80)).toBe('a b c');
    expect(oneLine('abcdef', 4)).toBe('abc…');
    expect(oneLine('\u{1f642}\u{1f642}', 2)).toBe('\ufffd…');
  });

  it('costs next to nothing for ASCII', () => {
    const text = 'the domain has 16 vCPUs, 8 are allowed; '.repeat(20);
    const began = process.cpuUsage();
    for (let i = 0; i < 100_000; i += 1) oneLine(text, 1_024);
    expect(process.cpuUsage(began).user / 100_000).toBeLessThan(50);
  });
});

describe('visibleLines', () => {
  it.each(tricks)('shows %s', (_, char, shown) => {
    expect(visibleLines(`a\n\t${char}b\n`)).toBe(`a\n\t${shown}b\n`);
  });

  it('keeps lines, and shows a carriage return, which would let one line hide another', () => {
    expect(visibleLines(`a\n  ${harmless}\n`)).toBe(`a\n  ${harmless}\n`);
    expect(visibleLines('denied\rallowed\r\n')).toBe('denied\\x0dallowed\\x0d\n');
  });
});

describe('jsonLine', () => {
  it.each(tricks)('writes %s so that it is seen and reads back as the same', (_, char) => {
    const line = jsonLine({ [char]: [`a${char}b`] });
    expect(line).not.toMatch(/[^\P{C}\n]|(?! )\p{Z}|\p{Default_Ignorable_Code_Point}/u);
    expect(JSON.parse(line)).toEqual({ [char]: [`a${char}b`] });
  });

  it('is one line for every character, and valid JSON', () => {
    const every = everyChar.join('');
    const line = jsonLine({ every });
    expect(line.indexOf('\n')).toBe(line.length - 1);
    expect(JSON.parse(line)).toEqual({ every });
    expect(jsonLine({ harmless })).toBe(`${JSON.stringify({ harmless })}\n`);
  });
});
