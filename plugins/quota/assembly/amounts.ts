/** More than this is written as this: no sum of memory comes near. */
const LARGEST: u64 = u64.MAX_VALUE;

/** What `wholeNumber` and `bytesPerUnit` give for text that is none. */
export const NONE: i64 = -1;

/** A whole number in decimal digits, white space around it allowed, larger ones cut to 2^63 - 1; else NONE. */
export function wholeNumber(text: string): i64 {
  const digits = text.trim();
  if (digits.length == 0) return NONE;
  let value: i64 = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = digits.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return NONE;
    value = value > (i64.MAX_VALUE - digit) / 10 ? i64.MAX_VALUE : value * 10 + digit;
  }
  return value;
}

/**
 * How many bytes a unit of libvirt's is: `b`, `bytes`, `KB` (1000), `k` and `KiB` (1024), … to `E`, in upper or lower
 * case (libvirt's virScaleInteger); '' is KiB, what libvirt writes. NONE for any other.
 */
export function bytesPerUnit(unit: string): i64 {
  const name = lowerCase(unit);
  if (name == '') return 1024;
  if (name == 'b' || name == 'byte' || name == 'bytes') return 1;
  const rest = name.substring(1);
  const base: i64 = rest == '' || rest == 'ib' ? 1024 : rest == 'b' ? 1000 : 0;
  const power = 'kmgtpe'.indexOf(name.charAt(0)) + 1;
  if (base == 0 || power == 0) return NONE;
  let bytes: i64 = 1;
  for (let i = 0; i < power; i++) bytes *= base;
  return bytes;
}

/** ASCII letters in lower case; the tables for all others would be most of the plugin. */
function lowerCase(text: string): string {
  let out = '';
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    out += String.fromCharCode(code >= 0x41 && code <= 0x5a ? code + 0x20 : code);
  }
  return out;
}

/** A product of two numbers that are not negative, cut to the largest there is. */
export function product(a: u64, b: u64): u64 {
  return a != 0 && b > LARGEST / a ? LARGEST : a * b;
}

/** Bytes for a reader: in MiB where that is exact, else in KiB, rounded up. */
export function sizeText(bytes: u64): string {
  const kib = bytes / 1024 + (bytes % 1024 > 0 ? 1 : 0);
  return bytes % 1048576 == 0 ? (bytes / 1048576).toString() + ' MiB' : kib.toString() + ' KiB';
}
