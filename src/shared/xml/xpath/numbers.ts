/** Maximum number of fraction digits that libxml2 reads after the leading zeros (MAX_FRAC in xpath.c). */
const mostFraction = 20;
/** Returns `pow(10, n)`, correctly rounded in every version of V8. */
const powerOfTen = (exponent: number): number => Number(`1e${exponent}`);

/**
 * Returns the number that a text represents, as libxml2 reads it (xmlXPathStringEvalNumber): an exponent is allowed, a
 * leading `+` is not.
 */
export function numberOf(text: string): number {
  let at = 0;
  const skip = (chars: string): void => {
    while (at < text.length && chars.includes(text.charAt(at))) at += 1;
  };
  /** Reads a sequence of digits and uses at most a given number of them. */
  const takeDigits = (most = Infinity): { readonly value: number; readonly count: number; readonly any: boolean } => {
    let [value, count] = [0, 0];
    const from = at;
    for (let digit = digitAt(text, at); digit >= 0; digit = digitAt(text, at)) {
      if (count < most) {
        value = value * 10 + digit;
        count += 1;
      }
      at += 1;
    }
    return { value, count, any: at > from };
  };
  const takes = (chars: string): boolean => {
    const found = at < text.length && chars.includes(text.charAt(at));
    if (found) at += 1;
    return found;
  };

  skip(blanks);
  const negative = takes('-');
  const whole = takeDigits();
  let value = whole.value;
  if (takes('.')) {
    const from = at;
    skip('0');
    const zeros = at - from;
    const fraction = takeDigits(mostFraction);
    if (!whole.any && zeros === 0 && !fraction.any) return NaN;
    value += fraction.value / powerOfTen(zeros + fraction.count);
  } else if (!whole.any) {
    return NaN;
  }
  let exponent = 0;
  if (takes('eE')) {
    const down = takes('-');
    if (!down) takes('+');
    exponent = Math.min(takeDigits().value, 1_000_000) * (down ? -1 : 1);
  }
  skip(blanks);
  if (at < text.length) return NaN;
  return (negative ? -value : value) * powerOfTen(exponent);
}

const blanks = ' \t\r\n';

function digitAt(text: string, at: number): number {
  const digit = text.charCodeAt(at) - 0x30;
  return digit >= 0 && digit <= 9 ? digit : -1;
}

/** Significant digits of a double that are always exact (DBL_DIG). */
const digits = 15;

/**
 * Returns a number as text, as libxml2 writes it (xmlXPathFormatNumber): 15 digits, with an exponent above 1e9 and
 * below 1e-5.
 */
export function textOfNumber(value: number): string {
  if (value === 0) return '0';
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  // An integer that fits into a C int is written in full.
  if (Number.isInteger(value) && value > -0x80000000 && value < 0x7fffffff) return String(value);
  if (size > 1e9 || size < 1e-5) {
    const [mantissa = '', exponent = ''] = halfToEven(value, (places) => value.toExponential(places), digits - 1).split(
      'e',
    );
    const padded = exponent.replace(/^([+-])([0-9])$/u, '$10$2');
    return `${withoutZeros(mantissa)}e${padded}`;
  }
  const integerPlace = Math.trunc(Math.log10(size));
  const places = integerPlace > 0 ? digits - integerPlace - 1 : digits - integerPlace;
  return withoutZeros(halfToEven(value, (wanted) => value.toFixed(wanted), places));
}

const withoutZeros = (text: string): string => (text.includes('.') ? text.replace(/\.?0+$/u, '') : text);

/** Rounds a number halfway between two decimals to the even one, as C does. JavaScript rounds it away from zero. */
function halfToEven(value: number, write: (places: number) => string, places: number): string {
  const rounded = write(places);
  const [exact = '', exponent] = write(100).split('e');
  const cut = exact.indexOf('.') + 1 + places;
  const isTie = /^50*$/u.test(exact.slice(cut)) && Number.isFinite(value);
  if (!isTie || !/[02468]$/u.test(exact.slice(0, cut))) return rounded;
  return exact.slice(0, cut) + (exponent === undefined ? '' : `e${exponent}`);
}
