import {
  AMPERSAND,
  BANG,
  DOUBLE_QUOTE,
  EQUALS,
  GREATER,
  isSpace,
  LESS,
  QUESTION,
  SINGLE_QUOTE,
  SLASH,
  startsWith,
  textOf,
} from './bytes';
import { decodeReferences } from './references';

/** What `XmlReader.next` found. */
export enum Token {
  Open,
  Close,
  Text,
  /** The document is complete. */
  End,
  /** It is not XML that this reader takes; `problem` says why. */
  Bad,
}

/**
 * Reads XML token by token and keeps count of the depth, so that only real elements are taken for elements: not what
 * stands in comments, CDATA, attributes or processing instructions. It knows no document types and refuses them.
 */
export class XmlReader {
  /** Open elements, the one just opened included. */
  depth: i32 = 0;
  problem: string = '';
  private at: i32 = 0;
  private rootSeen: bool = false;
  private selfClosed: bool = false;
  private isCdata: bool = false;
  /** Where the token's text, or the element's name, begins and ends. */
  private from: i32 = 0;
  private to: i32 = 0;
  /** Begin and end of the names of all open elements. */
  private readonly open: Array<i32> = [];
  /** Begin and end of name and of value for each attribute of the element just opened. */
  private attributes: Array<i32> = [];

  constructor(private readonly bytes: Uint8Array) {
    if (startsWithMark(bytes)) this.at = 3;
  }

  /** Goes on to the next token. After `Bad` or `End` it must not be called again. */
  next(): Token {
    if (this.selfClosed) return this.closeSelf();
    while (this.at < this.bytes.length) {
      if (this.bytes[this.at] != LESS) return this.readText();
      if (startsWith(this.bytes, this.at, '<!--')) {
        if (!this.stepOver(4, '-->')) return this.bad('a comment does not end');
      } else if (startsWith(this.bytes, this.at, '<?')) {
        if (!this.stepOver(2, '?>')) return this.bad('a processing instruction does not end');
      } else if (startsWith(this.bytes, this.at, '<![CDATA[')) {
        return this.readCdata();
      } else if (this.peek(1) == BANG) {
        return this.bad('it declares a document type');
      } else {
        return this.peek(1) == SLASH ? this.readClose() : this.readOpen();
      }
    }
    if (this.depth > 0) return this.bad('it ends inside an element');
    return this.rootSeen ? Token.End : this.bad('it has no element');
  }

  /** Whether the element just opened is called so. */
  isNamed(name: string): bool {
    return this.to - this.from == name.length && startsWith(this.bytes, this.from, name);
  }

  /** The text of a `Text` token, references resolved. What cannot be resolved becomes `problem`. */
  text(): string {
    return this.isCdata ? textOf(this.bytes, this.from, this.to) : this.decode(this.from, this.to);
  }

  /** The value of an attribute of the element just opened; '' when it has none. One given twice becomes `problem`. */
  attribute(name: string): string {
    let value = '';
    let found = 0;
    for (let i = 0; i < this.attributes.length; i += 4) {
      const from = this.attributes[i];
      if (this.attributes[i + 1] - from != name.length || !startsWith(this.bytes, from, name)) continue;
      value = this.decode(this.attributes[i + 2], this.attributes[i + 3]);
      if (++found > 1) this.problem = `the attribute ${name} is given twice`;
    }
    return value;
  }

  private readText(): Token {
    this.isCdata = false;
    this.from = this.at;
    let blank = true;
    while (this.at < this.bytes.length && this.bytes[this.at] != LESS) {
      if (!isSpace(this.bytes[this.at])) blank = false;
      this.at++;
    }
    this.to = this.at;
    if (this.depth > 0 || blank) return Token.Text;
    return this.bad('there is text outside of the root element');
  }

  private readCdata(): Token {
    if (this.depth == 0) return this.bad('there is text outside of the root element');
    this.isCdata = true;
    this.from = this.at + 9;
    if (!this.stepOver(9, ']]>')) return this.bad('a CDATA section does not end');
    this.to = this.at - 3;
    return Token.Text;
  }

  private readOpen(): Token {
    if (this.depth == 0 && this.rootSeen) return this.bad('it has two root elements');
    this.at++;
    this.from = this.at;
    this.to = this.readName();
    if (this.to == this.from) return this.bad('an element has no name');
    const nameFrom = this.from;
    const nameTo = this.to;
    this.attributes = [];
    for (;;) {
      const spaceFrom = this.at;
      this.skipSpace();
      const byte = this.peek(0);
      if (byte == GREATER) {
        this.at++;
        break;
      }
      if (byte == SLASH && this.peek(1) == GREATER) {
        this.at += 2;
        this.selfClosed = true;
        break;
      }
      if (this.at == spaceFrom || !this.readAttribute()) return this.bad('a tag is not well-formed');
    }
    this.rootSeen = true;
    this.open.push(nameFrom);
    this.open.push(nameTo);
    this.depth++;
    return Token.Open;
  }

  private readAttribute(): bool {
    const nameFrom = this.at;
    const nameTo = this.readName();
    this.skipSpace();
    if (nameTo == nameFrom || this.peek(0) != EQUALS) return false;
    this.at++;
    this.skipSpace();
    const quote = this.peek(0);
    if (quote != DOUBLE_QUOTE && quote != SINGLE_QUOTE) return false;
    const valueFrom = ++this.at;
    while (this.peek(0) != quote) {
      if (this.at >= this.bytes.length || this.peek(0) == LESS) return false;
      this.at++;
    }
    this.attributes.push(nameFrom);
    this.attributes.push(nameTo);
    this.attributes.push(valueFrom);
    this.attributes.push(this.at);
    this.at++;
    return true;
  }

  private readClose(): Token {
    this.at += 2;
    const from = this.at;
    const to = this.readName();
    this.skipSpace();
    if (this.depth == 0 || this.peek(0) != GREATER) return this.bad('an end tag is out of place');
    this.at++;
    const openTo = this.open.pop();
    const openFrom = this.open.pop();
    const same =
      to - from == openTo - openFrom && memory.compare(this.start(from), this.start(openFrom), to - from) == 0;
    if (!same) return this.bad('an end tag does not match its element');
    this.depth--;
    return Token.Close;
  }

  private closeSelf(): Token {
    this.selfClosed = false;
    this.open.length -= 2;
    this.depth--;
    return Token.Close;
  }

  private readName(): i32 {
    while (this.at < this.bytes.length && !endsName(this.bytes[this.at])) this.at++;
    return this.at;
  }

  private skipSpace(): void {
    while (this.at < this.bytes.length && isSpace(this.bytes[this.at])) this.at++;
  }

  /** Goes behind `end`, searched from `skip` bytes on. */
  private stepOver(skip: i32, end: string): bool {
    for (this.at += skip; this.at < this.bytes.length; this.at++) {
      if (!startsWith(this.bytes, this.at, end)) continue;
      this.at += end.length;
      return true;
    }
    return false;
  }

  private decode(from: i32, to: i32): string {
    const text = decodeReferences(this.bytes, from, to);
    if (text !== null) return text;
    this.problem = 'it uses an entity that XML does not define';
    return '';
  }

  /** The byte `ahead` of this one, 0 behind the end. */
  private peek(ahead: i32): u8 {
    return this.at + ahead < this.bytes.length ? this.bytes[this.at + ahead] : 0;
  }

  private start(at: i32): usize {
    return this.bytes.dataStart + at;
  }

  private bad(problem: string): Token {
    this.problem = problem;
    return Token.Bad;
  }
}

function endsName(byte: u8): bool {
  return (
    isSpace(byte) ||
    byte == SLASH ||
    byte == GREATER ||
    byte == EQUALS ||
    byte == LESS ||
    byte == AMPERSAND ||
    byte == QUESTION ||
    byte == DOUBLE_QUOTE ||
    byte == SINGLE_QUOTE
  );
}

/** Whether there is a byte order mark. */
function startsWithMark(bytes: Uint8Array): bool {
  return bytes.length >= 3 && bytes[0] == 0xef && bytes[1] == 0xbb && bytes[2] == 0xbf;
}
