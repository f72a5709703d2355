declare module 'hookvisor:hook/document@0.1.0' {
  /**
   * The whole document, or nothing when the event has none. A new copy at each call.
   */
  export function text(): string | undefined;
  /**
   * Evaluates an XPath 1.0 expression and gives the string value of each node found, in document order;
   * a number, string or boolean gives one element. No entity is expanded and nothing is fetched.
   */
  export function select(xpath: string): Array<string>;
  /**
   * Why `select` could not answer.
   */
  export type SelectError = SelectErrorNoDocument | SelectErrorNotXml | SelectErrorBadXpath | SelectErrorTooLarge;
  /**
   * This event has no document (`daemon` events).
   */
  export interface SelectErrorNoDocument {
    tag: 'no-document',
  }
  /**
   * The document is not well-formed XML, or declares a document type.
   */
  export interface SelectErrorNotXml {
    tag: 'not-xml',
    val: string,
  }
  /**
   * The expression is not XPath 1.0, or failed to evaluate.
   */
  export interface SelectErrorBadXpath {
    tag: 'bad-xpath',
    val: string,
  }
  /**
   * The answer is larger than the host hands out.
   */
  export interface SelectErrorTooLarge {
    tag: 'too-large',
  }
}
