import { Config } from '@extism/as-pdk';
import { NONE, wholeNumber } from './amounts';

/** The largest limit that can be set: far above any machine, and its bytes still fit a number. */
const LARGEST: i64 = 1000000000000;

/** The administrator's limits. */
export class Settings {
  /** What is wrong with them; '' when nothing is. */
  problem: string = '';
  /** NONE where no limit is set. */
  maxMemoryMiB: i64 = NONE;
  maxVcpus: i64 = NONE;
  maxDisks: i64 = NONE;
}

/** Reads the settings from Extism's config, where every number is text. */
export function readSettings(): Settings {
  const settings = new Settings();
  settings.maxMemoryMiB = readLimit('maxMemoryMiB', settings);
  settings.maxVcpus = readLimit('maxVcpus', settings);
  settings.maxDisks = readLimit('maxDisks', settings);
  const isLimited = settings.maxMemoryMiB != NONE || settings.maxVcpus != NONE || settings.maxDisks != NONE;
  if (settings.problem == '' && !isLimited) {
    settings.problem = 'no limit is set; set maxMemoryMiB, maxVcpus or maxDisks';
  }
  return settings;
}

function readLimit(key: string, settings: Settings): i64 {
  const text = Config.get(key);
  if (text === null) return NONE;
  const limit = wholeNumber(text);
  if (limit >= 1 && limit <= LARGEST) return limit;
  const shown = text.length > 40 ? text.substring(0, 39) + '…' : text;
  settings.problem = `${key} is '${shown}'; expected a whole number from 1 to ${LARGEST}`;
  return NONE;
}
