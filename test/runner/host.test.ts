import { describe, expect, it } from 'vitest';
import { checkDocument, createComponentHost, createLogBook, cut } from '../../src/runner/host.js';
import { createMeter } from '../../src/contract/meter.js';
import { loadXml } from '../../src/shared/xml/document.js';
import { bounds, defaultLimits } from '../../src/contract/limits.js';

describe('createLogBook', () => {
  it('cuts long messages', () => {
    const logs = createLogBook();
    logs.write('info', 'x'.repeat(bounds.logChars + 1));
    expect(logs.lines()).toEqual([{ level: 'info', message: 'x'.repeat(bounds.logChars) }]);
  });

  it('keeps a bounded number of messages and counts the rest in one last line', () => {
    const logs = createLogBook();
    for (let i = 0; i < bounds.logLines + 2; i += 1) logs.write('debug', String(i));
    expect(logs.lines()).toHaveLength(bounds.logLines + 1);
    expect(logs.lines().at(-1)).toEqual({ level: 'warn', message: '2 more messages were dropped, 100 are kept' });
  });
});

describe('createComponentHost', () => {
  it('shows no document before the event, and none after it', async () => {
    const host = createComponentHost(await loadXml(), '{}', createMeter(defaultLimits));
    const { document, select } = host.calls;
    expect(document()).toBeNull();
    expect(select('/a', 2)).toEqual({ error: { tag: 'no-document' } });
    host.show(Buffer.from('<a>b</a>'));
    expect([document()?.toString(), select('/a', 2)]).toEqual(['<a>b</a>', { ok: ['b'] }]);
    host.close();
    host.close();
    expect(document()).toBeNull();
  });
});

describe('checkDocument', () => {
  it('accepts UTF-8 up to the bound, and no document', () => {
    expect(() => {
      checkDocument(null);
      checkDocument(Buffer.from('\u00e9'));
      checkDocument(Buffer.alloc(bounds.documentBytes, 'a'));
    }).not.toThrow();
  });

  it('says what is wrong with the others', () => {
    const message = 'the document is too large: 16777217 bytes, plugins are given at most 16777216';
    expect(() => {
      checkDocument(Buffer.alloc(bounds.documentBytes + 1));
    }).toThrow(message);
    expect(() => {
      checkDocument(Buffer.from([0xc3, 0x28]));
    }).toThrow('the document is not valid UTF-8');
  });
});

describe('cut', () => {
  it('keeps what fits and copies the beginning of what does not', () => {
    expect([cut('abc', 3), cut('abcd', 3), cut('\u{1f600}x', 1)]).toEqual(['abc', 'abc', '\ud83d']);
  });
});
