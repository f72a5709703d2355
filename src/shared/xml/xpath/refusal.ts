/** Thrown if an expression is rejected. The message tells its author the problem, and what to write instead. */
export class XPathRefusal extends Error {}
