/**
 * Returns a generator of numbers from 0 to less than 1, like `Math.random()`, that depend only on `seed`: the same text
 * produces the same numbers in every plug-in, on every machine. Use them to spread load or to draw samples, not for
 * secrets.
 *
 * The seed is hashed with cyrb128, a 128-bit hash by bryc. The generator is sfc32 (Chris Doty-Humphrey, PractRand),
 * with two calls for each 53-bit number.
 */
export function seededRandom(seed: string): () => number {
  let [a, b, c, counter] = hash(seed);
  const next = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  // The first numbers of sfc32 still correlate with its seed.
  for (let turn = 0; turn < 12; turn += 1) next();
  return () => ((next() >>> 5) * 0x4000000 + (next() >>> 6)) / 0x20000000000000;
}

/** Returns four 32-bit words that are hashed from the text's UTF-16 code units. */
function hash(text: string): [number, number, number, number] {
  let [a, b, c, d] = [1779033703, 3144134277, 1013904242, 2773480762];
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    a = b ^ Math.imul(a ^ unit, 597399067);
    b = c ^ Math.imul(b ^ unit, 2869860233);
    c = d ^ Math.imul(c ^ unit, 951274213);
    d = a ^ Math.imul(d ^ unit, 2716044179);
  }
  a = Math.imul(c ^ (a >>> 18), 597399067);
  b = Math.imul(d ^ (b >>> 22), 2869860233);
  c = Math.imul(a ^ (c >>> 17), 951274213);
  d = Math.imul(b ^ (d >>> 19), 2716044179);
  a ^= b ^ c ^ d;
  return [a, b ^ a, c ^ a, d ^ a];
}
