import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { redact } from '../../../src/runtime/journal/redact.js';
import { captures } from '../../support/captures.js';

const redacted = (text: string): string | null => redact(Buffer.from(text))?.toString() ?? null;

/** Stands for every secret. */
const S = 'hunter2';
const ns = (prefix: string, driver: string, what = 'domain'): string =>
  `xmlns:${prefix}='http://libvirt.org/schemas/${what}/${driver}/1.0'`;

/** Where libvirt's XML, or metadata in it, has secrets. Nothing but them becomes `***`. */
const secrets: readonly string[] = [
  // Graphics.
  `<graphics type='vnc' port='-1' passwd='${S}'/>`,
  `<graphics type='spice' autoport='yes' passwd="${S}" passwdValidTo='2026-11-22T10:00:00' connected='keep'/>`,
  `<graphics type='rdp' username='u' passwd='${S}'/>`,
  `<graphics\n  passwd\t=\n'${S}'\n/>`,
  // Disks and volumes.
  `<auth username='u'><secret type='iscsi' usage='libvirtiscsi'/>${S}</auth>`,
  `<auth type='chap' username='u' passwd='${S}'/>`,
  `<auth type='chap' username='u'><password>${S}</password></auth>`,
  `<auth username='u' key='${S}'/>`,
  `<auth username='u'><secret type='ceph' value='${S}'/></auth>`,
  `<secret ephemeral='no' private='yes'>${S}</secret>`,
  `<secret type='passphrase' uuid='${S}'/>`,
  `<secret value='${S}'/>`,
  `<secret key='${S}'/>`,
  `<secret><value encoding='${S}'>${S}</value>${S}<![CDATA[${S}]]></secret>`,
  `<secret><!--${S}--></secret>`,
  `<encryption format='luks'><secret type='passphrase'>${S}</secret></encryption>`,
  `<encryption secret='${S}'/>`,
  `<encryption format='luks' passphrase='${S}'/>`,
  `<cookies><cookie name='a'>${S}</cookie></cookies>`,
  `<cookies><cookie name='a' value='${S}'/><cookie name='b' content='${S}'>${S}</cookie></cookies>`,
  `<cookies>${S}</cookies>`,
  `<source protocol='https' name='disk' query='${S}'><host name='h'/></source>`,
  `<source file='https://u:${S}@h/disk'/>`,
  `<source file='json:{&quot;url&quot;:&quot;ftp://u:${S}@h:21/disk&quot;}'/>`,
  `<x>see nbd://u:${S}@h/disk and nbd://v:${S}@h</x>`,
  `<source file='https://u:${S}@h/disk'/>`.replace('://', '&#58;&#x2F;&#047;').replace('@', '&#64;'),
  `<source file='https://u&#58;${S}@h/disk'/><source file='https://&#252;&amp;:${S}@h'/>`,
  `<!-- https://u:${S}@h --><?x https://u:${S}@h?><x><![CDATA[ https://u:${S}@h ]]></x>`,
  `<volume><encryption format='luks'><secret type='passphrase' value="${S}"/></encryption></volume>`,
  `<pool><source><auth type='ceph' username='admin'><secret usage='u'/></auth><auth passwd='${S}'/></source></pool>`,
  `<rbd:config_opts ${ns('rbd', 'rbd', 'storagepool/source')}><rbd:option name='key' value='${S}'/></rbd:config_opts>`,
  `<fs:mount_opts><fs:option name='ro' value='${S}'/></fs:mount_opts>`,
  // Memory encryption, TPM.
  `<launchSecurity type='sev'><policy>0x1</policy><dhCert>${S}</dhCert><session>${S}</session></launchSecurity>`,
  `<launchSecurity type='sev'>\n<session><![CDATA[${S}]]></session></launchSecurity>`,
  `<tpm><backend type='emulator'><encryption secret='${S}'/></backend></tpm>`,
  // SMBIOS, fw_cfg, cloud-init.
  `<sysinfo type='smbios'><system><entry name='serial'>${S}</entry></system></sysinfo>`,
  `<sysinfo type='smbios'><bios><entry name='vendor'>${S}</entry></bios></sysinfo>`,
  `<sysinfo type='smbios'><baseBoard><entry name='asset'>${S}</entry></baseBoard></sysinfo>`,
  `<sysinfo type='smbios'><chassis><entry name='sku'>${S}</entry></chassis></sysinfo>`,
  `<sysinfo type='smbios'><oemStrings><entry>${S}</entry><entry><![CDATA[${S}]]></entry></oemStrings></sysinfo>`,
  `<sysinfo type='fwcfg'><entry name='opt/com.coreos/config'>${S}</entry></sysinfo>`,
  `<sysinfo type='fwcfg'><entry name='opt/a' file='/tmp/provision.ign'/><entry name='b' value='${S}'/></sysinfo>`,
  // What other programs are started with.
  `<os><kernel>/k</kernel><cmdline>${S}</cmdline></os>`,
  `<os><cmdline><!--${S}-->${S}</cmdline></os>`,
  `<bootloader_args>${S}</bootloader_args>`,
  `<os><init>/sbin/init</init><initarg>${S}</initarg><initarg>${S}</initarg></os>`,
  `<os><initenv name='MYENV'>${S}</initenv></os>`,
  `<qemu:commandline ${ns('qemu', 'qemu')}><qemu:arg value='${S}'/></qemu:commandline>`,
  `<qemu:commandline><qemu:env name='NAME' value='${S}'/></qemu:commandline>`,
  `<z:commandline ${ns('z', 'qemu')}><z:arg value='${S}'/><z:env name='A' value='${S}'/></z:commandline>`,
  `<commandline xmlns='http://libvirt.org/schemas/domain/qemu/1.0'><arg value='${S}'/></commandline>`,
  `<a:commandline ${ns('a', 'qemu')} ${ns('b', 'qemu')}><b:arg value='${S}'/></a:commandline>`,
  `<xmlns.x:commandline ${ns('xmlns.x', 'qemu')}><xmlns.x:arg value='${S}'/></xmlns.x:commandline>`,
  `<xen:commandline ${ns('xen', 'xen')}><xen:arg value='${S}'/></xen:commandline>`,
  `<bhyve:commandline ${ns('bhyve', 'bhyve')}><bhyve:arg value='${S}'/></bhyve:commandline>`,
  `<qemu:override><qemu:device alias='a'><qemu:frontend><qemu:property name='x' type='string' value='${S}'/></qemu:frontend></qemu:device></qemu:override>`,
  // Networks.
  `<dnsmasq:options ${ns('dnsmasq', 'dnsmasq', 'network')}><dnsmasq:option value='${S}'/></dnsmasq:options>`,
  `<interface type='ethernet'><wireguard privateKey='${S}'/></interface>`,
  `<interface><macsec><private-key>${S}</private-key></macsec></interface>`,
  `<interface type='user'><backend passphrase='${S}'/></interface>`,
  `<hookData><network><metadata><vpn preshared-secret='${S}' sharedKey='${S}'/></metadata></network></hookData>`,
  // Names of anybody's, in metadata.
  `<metadata><app:token xmlns:app='urn:a'>${S}</app:token></metadata>`,
  `<metadata><a adminPassword='${S}'/></metadata>`,
  `<metadata><a PASSWORD='${S}'/><a Passwd='${S}'/><SECRET>${S}</SECRET></metadata>`,
  `<metadata><a api_key='${S}' api-key='${S}' x.apikey='${S}' accessKey='${S}'/></metadata>`,
  `<metadata><credentials><user name='x'/>${S}</credentials></metadata>`,
  `<metadata><property name='db.password' value='${S}'/></metadata>`,
  `<metadata><property name='db.password' type='string' x='kept'>${S}<v n='kept' value='${S}'/></property></metadata>`,
  `<metadata><secret key='${S}' id='${S}'/><auth key='${S}'/></metadata>`,
  `<metadata><os:user_data>${S}</os:user_data><cloud-init>${S}</cloud-init></metadata>`,
  `<metadata><item key='AUTH_TOKEN'>${S}</item></metadata>`,
  `<metadata><entry id='secret'><string>${S}</string></entry></metadata>`,
  `<metadata><property name='pass&#119;ord' value='${S}'/><property name='p&#x61;ssword' value='${S}'/></metadata>`,
  `<secret xmlns:secret='urn:secret' xmlns='urn:passwd'><secret:passwd>${S}</secret:passwd></secret>`,
  `<a title="passwd='x'" passwd='${S}'/>`,
  `<x passwd=''/><passphrase>${S}</passphrase >`,
];

describe('redacting a document', () => {
  it.each(secrets)('blanks the secrets of %s, and nothing else', (document) => {
    const after = document.replaceAll(S, '***');
    expect(after).not.toBe(document);
    expect(redacted(document)).toBe(after);
    const inDomain = `<domain>\n  <name>web</name>\n  ${document}\n</domain>\n`;
    expect(redacted(inDomain)).toBe(inDomain.replaceAll(S, '***'));
  });

  it.each([
    ["<a><!-- <graphics passwd='x'/> --></a>", '<a><!--***--></a>'],
    ["<!-- a --><?p a?><a><?p passwd='x'?></a>", '<!-- a --><?p a?><a><?redacted?></a>'],
    ['<secret><?hunter2?></secret>', '<secret><?redacted?></secret>'],
    ["<q:x q:password = '&lt;a'>kept</q:x>", "<q:x q:password = '***'>kept</q:x>"],
    ['<graphics passwd="it\'s > 3"  />', '<graphics passwd="***"  />'],
    ['<cmdline>&#104;i</cmdline>', '<cmdline>***</cmdline>'],
    ["<a b='ftp://u:p@ss@h/x@y'/>", "<a b='ftp://u:***@h/x@y'/>"],
    ["<secret key='mytoken'/>", "<secret key='***'/>"],
    ["<fs:option name='password=x'/>", "<fs:option name='***'/>"],
    ['<x>\n-----BEGIN RSA PRIVATE KEY-----\nMII\n</x>', '<x>***</x>'],
    ["<x y='-----BEGIN PRIVATE KEY-----&#10;MII'/>", "<x y='***'/>"],
    ['<x><![CDATA[#cloud-config\nchpasswd: x]]></x>', '<x><![CDATA[***]]></x>'],
  ])('makes of %s', (before, after) => {
    expect(redacted(before)).toBe(after);
  });

  it.each([
    ["<graphics passwd=''/>"],
    ["<secret type='passphrase' uuid='6f1c2a34-0000-4000-8000-000000000001'/>"],
    ["<auth username='u'><secret type='iscsi' usage='libvirtiscsi'/></auth>"],
    ["<encryption secret='6f1c2a34-0000-4000-8000-000000000001'/>"],
    ["<graphics passwdValidTo='2026-11-22T10:00:00'/>"],
    ['<description>the secret is: no password</description>'],
    ['<domain><name>tiny</name></domain>'],
    ["<sysinfo type='fwcfg'><entry name='opt/a' file='/tmp/provision.ign'/></sysinfo>"],
    ["<os><smbios mode='sysinfo'/><cmdline/></os>"],
    ["<source file='https://u@h/a:b@c'/>"],
    ["<source protocol='rbd' name='secrets/disk'><host name='h' port='6789'/></source>"],
    ["<source pool='tokens' volume='v'/><alias name='ua-cloud-init'/>"],
    ['<x>-----BEGIN CERTIFICATE-----</x>'],
    ['<session>x</session><entry>y</entry><dhCert>z</dhCert><serial>WD-1</serial>'],
    ["<qemu:capabilities><qemu:add capability='blockdev'/></qemu:capabilities>"],
    ["<a xmlns:token='urn:x' xmlns:passwd='urn:passwd'/>"],
    ["<keywrap><cipher name='aes' state='on'/></keywrap>"],
    ["<lease><key>k</key><target path='/secret/token' offset='1'/></lease>"],
    ["<video><model type='qxl'/></video><input type='keyboard' bus='ps2'/>"],
  ])('leaves %s as it is', (text) => {
    expect(redacted(text)).toBe(text);
  });

  it.each([
    ["<a passwd='x"],
    ["<a passwd='x'"],
    ['<secret>x'],
    ['<secret><![CDATA[x</secret>'],
    ['<!-- <secret>'],
    ['< passwd>x</passwd>'],
    ['<a passwd=x/>'],
    ['<secret></x>hunter2</secret>'],
    ['<secret><a></secret>hunter2</a>'],
    ["<a b='<secret>hunter2</secret>'/>"],
    ["<a></a passwd='hunter2'>"],
    ['<a><![CDATA[x]]></a><![CDATA[hunter2 secret]]>'],
    ['<a/>password=hunter2'],
    ['password: hunter2'],
    ['{"password":"hunter2"}'],
    ['hunter2'],
    ['<a>hunter2'],
    [''],
    ['<!DOCTYPE d [<!ENTITY s "hunter2">]><secret>&s;</secret>'],
    ['<!DOCTYPE d><passphrase>x</passphrase>'],
    ['<?xml version="1.0" encoding="UTF-7"?><a>+ADw-secret+AD4-hunter2+ADw-/secret+AD4-</a>'],
    ['<?xml version="1.0" encoding="IBM037"?><a>hunter2</a>'],
    [`${'<a>'.repeat(3_000)}<secret>x</secret>${'</a>'.repeat(3_000)}`],
  ])('gives up on %s, which is not XML, or not plainly so', (text) => {
    expect(redacted(text)).toBeNull();
  });

  it('gives up on UTF-16, where its words cannot be found', () => {
    expect(redact(Buffer.from("<a passwd='x'/>", 'utf16le'))).toBeNull();
  });

  it('keeps bytes that are not UTF-8', () => {
    const before = Buffer.from("<a>\xff</a><b passwd='\xfe'/>", 'latin1');
    expect(redact(before)).toEqual(Buffer.from("<a>\xff</a><b passwd='***'/>", 'latin1'));
  });

  it('changes nothing in any recorded document but passwords', () => {
    for (const { stdin } of captures) {
      if (stdin === null) continue;
      const expected = stdin.replace(/ passwd='[^']+'/gu, " passwd='***'");
      expect(redacted(stdin)).toBe(expected);
    }
  });

  it('takes time in proportion to the size, whatever the document', () => {
    const time = (text: string): number => {
      const document = Buffer.from(text);
      const runs = Array.from({ length: 3 }, () => {
        const began = performance.now();
        redact(document);
        return performance.now() - began;
      });
      return Math.min(...runs);
    };
    for (const part of [
      "<a passwd=''>://a:b@c ://a:b@c</a>",
      '&#58;&#47;&#47;&#58;',
      '<a>&#58;&#47;&#47;:@',
      '://&#58;a:',
      '://a:@',
      "<a passwd='x' ",
      '<secret>',
      '<a  \t\n  ',
      "<a b='c' d='e'",
      '<!--',
      '<![CDATA[',
      'secret=',
      "a:key='x' ",
      "key='password' ",
    ]) {
      for (const [before, after] of [
        ['', ''],
        ['<secret ', "='x'/>"],
        ['<a b="', '"/>'],
        ['<secret>', '</secret>'],
      ] as const) {
        const small = time(`${before}${part.repeat(10_000)}${after}`);
        expect(time(`${before}${part.repeat(40_000)}${after}`), part).toBeLessThan(16 * Math.max(small, 1));
      }
    }
  });
});

const name = fc.constantFrom('domain', 'devices', 'x:graphics', 'channel', 'description', 'metadata');
const safe = fc.string({ maxLength: 8 }).map((text) => text.replace(/[<&'"\0]/gu, '.').replaceAll(']]>', '.'));
const secret = fc.uuid().map((id) => `SECRET${id.slice(0, 8)}`);
const quote = fc.constantFrom("'", '"');
const gap = fc.constantFrom(' ', '\n\t', '  ');

/** A piece of XML with what it must become. */
type Piece = readonly [before: string, after: string];
const join = (pieces: readonly Piece[]): Piece => [pieces.map(([a]) => a).join(''), pieces.map(([, b]) => b).join('')];

const plainAttribute = fc
  .tuple(gap, fc.constantFrom('type', 'port', 'passwdValidTo', 'p:uuid'), safe, quote)
  .map(([space, key, value, q]): Piece => {
    const text = `${space}${key}=${q}${value}${q}`;
    return [text, text];
  });
const secretAttribute = fc
  .tuple(gap, fc.constantFrom('passwd', 'password', 'x:passwd', 'passphrase', 'secret'), secret, quote)
  .map(([space, key, value, q]): Piece => [`${space}${key} = ${q}${value}>${q}`, `${space}${key} = ${q}***${q}`]);
const attributes = fc.array(fc.oneof(plainAttribute, secretAttribute), { maxLength: 4 }).map(join);
/** Of an element whose attributes are all secrets. */
const secretAttributes = fc.array(secretAttribute, { maxLength: 4 }).map(join);

const { document: generated } = fc.letrec<{ document: Piece; node: Piece }>((tie) => ({
  document: fc
    .tuple(name, attributes, fc.array(tie('node'), { maxLength: 5 }).map(join))
    .map(([tag, [a, b], [inside, blanked]]): Piece => [
      `<${tag}${a}>${inside}</${tag}>`,
      `<${tag}${b}>${blanked}</${tag} >`.replace(/ >$/u, '>'),
    ]),
  node: fc.oneof(
    { depthSize: 'small' },
    safe.map((text): Piece => [text, text]),
    safe.map((text): Piece => [`<!--${text.replaceAll('-', '.')}-->`, `<!--${text.replaceAll('-', '.')}-->`]),
    safe.map((text): Piece => [`<![CDATA[<a passwd='${text}'>]]>`, `<![CDATA[<a passwd='${text}'>]]>`]),
    fc
      .tuple(fc.constantFrom('secret', 'passwd', 'v:password', 'cookie'), secretAttributes, secret)
      .map(([tag, [a, b], text]): Piece => [`<${tag}${a}>${text}</${tag}>`, `<${tag}${b}>***</${tag}>`]),
    fc
      .tuple(secretAttributes, secret)
      .map(([[a, b], text]): Piece => [
        `<secret${a}><value>${text}</value></secret>`,
        `<secret${b}><value>***</value></secret>`,
      ]),
    tie('document'),
  ),
}));

describe('any document', () => {
  it('loses its secrets and nothing else', () => {
    fc.assert(
      fc.property(generated, ([before, after]) => {
        const result = redacted(before);
        expect(result).toBe(after);
        expect(result).not.toContain('SECRET');
      }),
      { numRuns: 300 },
    );
  });

  it('that is no XML is given up or loses what looks like a secret, and is never a crash', () => {
    const bytes = fc.array(fc.constantFrom('<', '>', '/', "'", '"', '=', ' ', 'passwd', 'secret', '<!--', '-->', 'x'));
    fc.assert(
      fc.property(bytes, (parts) => {
        const document = Buffer.from(parts.join(''));
        const result = redact(document);
        expect(result === null || result.length <= document.length * 3).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
