import { bounds } from './limits.js';
import { refusal, type Objection } from './objection.js';

/** Returns the objection to a plug-in larger than its handler's `pluginSize`, which is also in bytes. */
export function sizeObjection(bytes: number, pluginBytes: number): Objection {
  const most = `${bounds.pluginBytes / 1024 ** 2}MiB`;
  const remedy =
    bytes > bounds.pluginBytes
      ? `build a smaller plugin, 'pluginSize' goes to ${most} at most`
      : `raise 'pluginSize' (${most} at most), or build a smaller plugin`;
  return refusal('size', `it has ${bytes} bytes`, `at most ${pluginBytes} are allowed; ${remedy}`, {
    bytes,
    allowed: pluginBytes,
  });
}
