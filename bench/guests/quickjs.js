// A million turns of what a naming rule does: strings, a pattern, numbers.
export const handler = {
  handle(event) {
    const pattern = /^[a-z][a-z0-9-]*$/u;
    let matched = 0;
    for (let turn = 0; turn < 1_000_000; turn += 1) {
      const last = event.name.charCodeAt(turn % event.name.length);
      matched = (matched * 31 + last) | 0;
      if (turn % 1_000 === 0 && !pattern.test(event.name + turn)) return { tag: 'deny', val: 'name' };
    }
    return { tag: 'deny', val: String(matched) };
  },
};
