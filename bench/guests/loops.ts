/** A tight loop over integers: a generator of pseudo-random numbers. */
export function integers(turns: i32): i32 {
  let state: u32 = 2463534242;
  let sum: u32 = 0;
  for (let turn = 0; turn < turns; turn += 1) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    sum += state % 97;
  }
  return sum;
}

/** A loop over memory: fills an array and sorts it by insertion into heaps. */
export function sort(size: i32): i32 {
  const base = heap.alloc((<usize>size) << 2);
  let state: u32 = 88172645;
  for (let at = 0; at < size; at += 1) {
    state = state * 1664525 + 1013904223;
    store<u32>(base + ((<usize>at) << 2), state);
  }
  for (let start = (size >> 1) - 1; start >= 0; start -= 1) sift(base, start, size);
  for (let end = size - 1; end > 0; end -= 1) {
    const first = load<u32>(base);
    store<u32>(base, load<u32>(base + ((<usize>end) << 2)));
    store<u32>(base + ((<usize>end) << 2), first);
    sift(base, 0, end);
  }
  const middle = load<u32>(base + ((<usize>(size >> 1)) << 2));
  heap.free(base);
  return middle;
}

function sift(base: usize, start: i32, end: i32): void {
  let root = start;
  while (true) {
    let child = 2 * root + 1;
    if (child >= end) return;
    const left = load<u32>(base + ((<usize>child) << 2));
    if (child + 1 < end && left < load<u32>(base + ((<usize>(child + 1)) << 2))) child += 1;
    const larger = load<u32>(base + ((<usize>child) << 2));
    const own = load<u32>(base + ((<usize>root) << 2));
    if (own >= larger) return;
    store<u32>(base + ((<usize>root) << 2), larger);
    store<u32>(base + ((<usize>child) << 2), own);
    root = child;
  }
}
