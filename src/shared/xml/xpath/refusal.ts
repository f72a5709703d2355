/** Why an expression is not evaluated. The message tells its author what is so, and what to write instead. */
export class XPathRefusal extends Error {}
