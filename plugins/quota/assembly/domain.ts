import { bytesPerUnit, NONE, product, wholeNumber } from './amounts';
import { Token, XmlReader } from './xml';

/** What a domain's document asks for. */
export class Domain {
  /** Why the document cannot be used; '' when it can, and only then the rest counts. */
  problem: string = '';
  memoryBytes: u64 = 0;
  /** The most virtual CPUs, those that can be plugged in later included; one when the document does not say. */
  vcpus: u64 = 1;
  /** Disks; drives for CD-ROMs and floppy disks are none. */
  disks: u64 = 0;
}

/**
 * Reads /domain/memory and /domain/vcpu, and counts /domain/devices/disk. Elements of these names anywhere else, such as in
 * the metadata that a user may write, are not looked at; of several amounts at the right place the largest counts.
 */
export function readDomain(document: Uint8Array): Domain {
  const domain = new Domain();
  const reader = new XmlReader(document);
  let wanted = '';
  let unit = '';
  let text = '';
  let hasMemory = false;
  let inDevices = false;
  for (;;) {
    const token = reader.next();
    if (token == Token.Open && reader.depth == 1 && !reader.isNamed('domain'))
      reader.problem = 'its root is not <domain>';
    if (token == Token.Open && reader.depth == 3 && inDevices && reader.isNamed('disk') && isDisk(reader)) {
      domain.disks++;
    }
    if (token == Token.Open && reader.depth == 2) {
      inDevices = reader.isNamed('devices');
      wanted = reader.isNamed('memory') ? 'memory' : reader.isNamed('vcpu') ? 'vcpu' : '';
      unit = wanted == 'memory' ? reader.attribute('unit') : '';
      text = '';
    }
    if (token == Token.Text && wanted != '') text += reader.text();
    if (token == Token.Close && reader.depth == 1 && wanted != '') {
      const problem = wanted == 'memory' ? addMemory(domain, text, unit) : addVcpus(domain, text);
      if (problem != '') reader.problem = problem;
      if (wanted == 'memory') hasMemory = true;
      wanted = '';
    }
    if (token == Token.End || reader.problem != '') break;
  }
  domain.problem = reader.problem == '' && !hasMemory ? 'it has no <memory>' : reader.problem;
  return domain;
}

/** libvirt takes a disk that does not say what it is for a hard disk. */
function isDisk(reader: XmlReader): bool {
  const device = reader.attribute('device');
  return device != 'cdrom' && device != 'floppy';
}

function addMemory(domain: Domain, text: string, unit: string): string {
  const amount = wholeNumber(text);
  const scale = bytesPerUnit(unit);
  if (amount == NONE) return 'its <memory> is not a whole number';
  if (scale == NONE) return 'the unit of its <memory> is unknown';
  domain.memoryBytes = max(domain.memoryBytes, product(amount, scale));
  return '';
}

function addVcpus(domain: Domain, text: string): string {
  const count = wholeNumber(text);
  if (count == NONE) return 'its <vcpu> is not a whole number';
  domain.vcpus = max(domain.vcpus, <u64>count);
  return '';
}
