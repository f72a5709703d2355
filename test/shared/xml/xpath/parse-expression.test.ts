import { describe, expect, it } from 'vitest';
import { loadXml } from '../../../../src/shared/xml/document.js';
import { axes, functions } from '../../../../src/shared/xml/xpath/expression.js';
import { readFileSync } from 'node:fs';
import { packageRoot } from '../../../../src/shared/paths.js';

const xml = await loadXml();

function objectionTo(xpath: string): string | null {
  const open = xml.open(Buffer.from('<a xmlns:p="urn:p"/>'));
  try {
    const selection = open.select(xpath);
    return 'error' in selection && selection.error.tag === 'bad-xpath' ? selection.error.val : null;
  } finally {
    open.close();
  }
}

describe('an expression outside of the list is refused, with what to write instead:', () => {
  it.each([
    ['/a/namespace::*', "the axis 'namespace' is not supported; compare namespace-uri() of elements instead"],
    ['//a/following::b', "the axis 'following' is not supported; use following-sibling, or a path from the root"],
    ['//a/preceding::b', "the axis 'preceding' is not supported; use preceding-sibling, or a path from the root"],
    ['/a/sideways::b', "there is no axis 'sideways'; docs/xpath.md lists what there is"],
    ['id("x")', `the function 'id' is not supported; write a path such as //*[@id="…"] instead`],
    ['lang("en")', "the function 'lang' is not supported; compare @xml:lang instead"],
    ['document("/etc/passwd")', "there is no function 'document'; docs/xpath.md lists what there is"],
    ['exsl:node-set(/)', "there is no function 'exsl:node-set'; docs/xpath.md lists what there is"],
    ['/a[$x]', 'the variable at character 4 is unknown: variables are not supported; write its value instead'],
    ['q:b', "the root element declares no prefix 'q'; compare local-name() and namespace-uri() if it may be missing"],
    ['position()', 'position() is used outside a predicate; move it between [ and ]'],
    ['count(1)', "expected a path as the argument of 'count', found a number"],
    ['contains(/)', "the function 'contains' takes 2 arguments, not 1"],
    ['/a/', 'expected a step of a path at character 4, found the end'],
    ['/a b', "'b' at character 4 is unexpected"],
    ['/a/#', 'the text at character 4 is not XPath 1.0'],
    [`${'('.repeat(65)}1${')'.repeat(65)}`, 'it is nested deeper than 64 levels; use several expressions'],
    ['/a'.repeat(513), 'it is longer than 1024 characters; use several expressions'],
  ])('%s', (xpath, message) => {
    expect(objectionTo(xpath)).toBe(message);
  });
});

it('docs/xpath.md names every axis and every function, and no other', () => {
  const page = readFileSync(`${packageRoot}/docs/xpath.md`, 'utf8');
  const named = (heading: string): string[] => {
    const [, after = ''] = page.split(`| ${heading}`);
    const [line = ''] = after.split('\n');
    return [...line.matchAll(/`([a-z-]+)`/gu)].map(([, name]) => name ?? '').sort();
  };
  expect(named('axes')).toEqual([...axes].sort());
  expect(named('functions')).toEqual(Object.keys(functions).sort());
});
