import fc from 'fast-check';

const names = ['a', 'b', 'div', 'p:a', 'q:b', 'x-1'];
const values = [
  '',
  '1',
  '2',
  ' 2 ',
  '10',
  '-3',
  '1.5',
  '1e3',
  'NaN',
  'a',
  'ab',
  'aab',
  'é',
  '\u{1f600}b',
  'a  b',
  '0.1',
];
const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

const attribute = fc.tuple(fc.constantFrom('i', 'j', 'p:i', 'xml:lang'), fc.constantFrom(...values));
const { element } = fc.letrec<{ element: string; child: string }>((tie) => ({
  child: fc.oneof(
    { maxDepth: 4 },
    fc
      .constantFrom(...values, 'x & y', '<![CDATA[a<b]]>', '<!--c-->', '<?pi data?>', '<?a?>')
      .map((text) => (text.startsWith('<') ? text : escaped(text))),
    tie('element'),
    tie('element'),
  ),
  element: fc
    .tuple(
      fc.constantFrom(...names),
      fc.uniqueArray(attribute, { maxLength: 3, selector: ([name]) => name }),
      fc.constantFrom('', '', '', ' xmlns="urn:d"', ' xmlns:p="urn:other"'),
      fc.array(tie('child'), { maxLength: 4 }),
    )
    .map(([name, attributes, namespace, children]) => {
      const written = attributes.map(([key, value]) => ` ${key}="${escaped(value)}"`).join('');
      return `<${name}${namespace}${written}>${children.join('')}</${name}>`;
    }),
}));

/** A small document with every kind of node. */
export const xmlDocument = fc
  .tuple(
    fc.constantFrom('', '<!--before-->', '<?pi x?>'),
    fc.array(element, { maxLength: 5 }),
    fc.constantFrom('', '<!--after-->'),
  )
  .map(([before, all, after]) => `${before}<a i="2" xmlns:p="urn:p" xmlns:q="urn:q">${all.join('')}</a>${after}`);

const axis = fc.constantFrom(
  ...['ancestor::', 'ancestor-or-self::', 'attribute::', 'child::', 'descendant::', 'descendant-or-self::'],
  ...['following-sibling::', 'parent::', 'preceding-sibling::', 'self::', '@', '', '', ''],
);
const nodeTest = fc.constantFrom(
  ...['*', '*', 'a', 'b', 'i', 'j', 'div', 'p:a', 'q:*', 'p:i', 'xml:lang', 'x-1', 'pi'],
  ...['node()', 'text()', 'comment()', 'processing-instruction()', 'processing-instruction("pi")'],
);
const literal = fc.constantFrom(...values, 'urn:p').map((text) => `"${text}"`);
const separator = fc.constantFrom('/', '/', '//');

const { any, nodes } = fc.letrec<Record<'step' | 'nodes' | 'number' | 'text' | 'truth' | 'any' | 'relative', string>>(
  (tie) => ({
    step: fc.oneof(
      {
        weight: 6,
        arbitrary: fc
          .tuple(
            axis,
            nodeTest,
            fc.oneof(
              { maxDepth: 3 },
              fc.constant(''),
              tie('any').map((one) => `[${one}]`),
            ),
          )
          .map((all) => all.join('')),
      },
      { weight: 1, arbitrary: fc.constantFrom('.', '..') },
    ),
    relative: fc
      .tuple(tie('step'), fc.array(fc.tuple(separator, tie('step')), { maxLength: 2 }))
      .map(([first, more]) => first + more.flat().join('')),
    nodes: fc.oneof(
      { maxDepth: 3, depthIdentifier: 'nodes' },
      fc.constantFrom('/', '.', '//*', '//@*', '//node()', '//a', '//b/@i'),
      tie('relative'),
      fc.tuple(separator, tie('relative')).map((all) => all.join('')),
      fc.tuple(tie('nodes'), tie('nodes')).map(([a, b]) => `${a} | ${b}`),
      fc.tuple(tie('nodes'), tie('any'), separator, tie('relative')).map(([a, p, s, r]) => `(${a})[${p}]${s}${r}`),
    ),
    number: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom('1', '2', '0', '0.5', '.25', '3.', '65536', '1234567890123', 'position()', 'last()'),
      fc.constantFrom('number()', 'string-length()'),
      fc.tuple(fc.constantFrom('count', 'sum'), tie('nodes')).map(([name, arg]) => `${name}(${arg})`),
      fc
        .tuple(fc.constantFrom('number', 'floor', 'ceiling', 'round', 'string-length'), tie('any'))
        .map(([name, arg]) => `${name}(${arg})`),
      fc
        .tuple(tie('any'), fc.constantFrom('+', '-', '*', 'div', 'mod'), tie('any'))
        .map(([a, o, b]) => `(${a} ${o} ${b})`),
      tie('any').map((a) => `-(${a})`),
    ),
    text: fc.oneof(
      { maxDepth: 3 },
      literal,
      fc.constantFrom('string()', 'name()', 'local-name()', 'namespace-uri()', 'normalize-space()'),
      fc
        .tuple(fc.constantFrom('name', 'local-name', 'namespace-uri'), tie('nodes'))
        .map(([name, arg]) => `${name}(${arg})`),
      fc.tuple(fc.constantFrom('string', 'normalize-space'), tie('any')).map(([name, arg]) => `${name}(${arg})`),
      fc
        .tuple(fc.constantFrom('concat', 'substring-before', 'substring-after', 'substring'), tie('any'), tie('any'))
        .map(([name, a, b]) => `${name}(${a}, ${b})`),
      fc
        .tuple(fc.constantFrom('translate', 'substring', 'concat'), tie('any'), tie('any'), tie('any'))
        .map(([name, a, b, c]) => `${name}(${a}, ${b}, ${c})`),
    ),
    truth: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom('true()', 'false()'),
      fc.tuple(fc.constantFrom('boolean', 'not'), tie('any')).map(([name, arg]) => `${name}(${arg})`),
      fc
        .tuple(fc.constantFrom('contains', 'starts-with'), tie('any'), tie('any'))
        .map(([name, a, b]) => `${name}(${a}, ${b})`),
      fc
        .tuple(tie('any'), fc.constantFrom('=', '!=', '<', '<=', '>', '>=', 'and', 'or'), tie('any'))
        .map(([a, o, b]) => `(${a} ${o} ${b})`),
    ),
    any: fc.oneof({ maxDepth: 4 }, tie('nodes'), tie('number'), tie('text'), tie('truth')),
  }),
);

/** An expression of the supported part of XPath. */
export const xpathExpression = fc.oneof(any, nodes).filter((text) => text.length <= 1_024);

const pieces = [
  ...['<x/>', '<x>1.5</x>', '<y>2</y>', '<a i="1" j="2"/>', '<p:a p:i="1"/>', '<b>text é</b>', '<!---->', '<?pi?>'],
  ...[
    '<![CDATA[x]]>',
    'a<x/>',
    '&amp;',
    '&#65;',
    ' x',
    '1',
    'ab',
    '\u{1f600}',
    '=',
    '<a xmlns="u" xmlns:z="u" z:b="1"/>',
  ],
  ...['<x>0.000012345678901234</x>', '<a><b><a/></b></a>', '<x i="&lt;&lt;é"/>'],
];

/** A document of up to 300 KB that is dear in one or two ways: many of some kind of node, long texts, or both, deep inside. */
export const largeXmlDocument = fc
  .tuple(
    fc.array(fc.tuple(fc.constantFrom(...pieces), fc.nat(20_000)), { minLength: 1, maxLength: 2 }),
    fc.constantFrom(0, 0, 1, 200),
    fc.constantFrom(0, 0, 1_000),
  )
  .map(([runs, depth, namespaces]) => {
    const inside = runs
      .map(([piece, count]) => piece.repeat(Math.min(count, Math.floor(150_000 / piece.length))))
      .join('');
    const declared = Array.from({ length: namespaces }, (_, at) => ` xmlns:n${at}="urn:n${at}"`).join('');
    const [opened, closed] = ['<a>'.repeat(depth), '</a>'.repeat(depth)];
    return `<a xmlns:p="urn:p" xmlns:q="urn:q"${declared}>${opened}${inside}${closed}<b>${inside}</b></a>`;
  });
