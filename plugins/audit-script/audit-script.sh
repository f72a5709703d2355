#!/bin/sh
# A classic hook: NAME OPERATION SUBOPERATION EXTRA as arguments, the XML on stdin, exit status 0 or not, stderr the
# reason. It lets a domain start only when its XML names an emulator that lies in the system's own folders.
set -u

operation=${2:-}
case $operation in
  start) ;;
  *) exit 0 ;;
esac

# Networks have a `start` too; their document is another one. Reading all of it keeps the writer from a broken pipe.
emulator=$(awk '
  NR == 1 && !/^<domain / { other = 1 }
  !other && !found && /^    <emulator>[^<&]*<\/emulator>$/ {
    gsub(/^    <emulator>|<\/emulator>$/, "")
    found = $0
  }
  END { print other ? "not a domain" : found }
')

case $emulator in
  'not a domain') exit 0 ;;
  */../*) ;;
  /usr/bin/* | /usr/lib/* | /usr/lib64/* | /usr/libexec/*) exit 0 ;;
  '')
    echo 'the domain names no emulator; add <emulator> to its <devices>' >&2
    exit 1
    ;;
esac
printf 'the emulator %s is not one of the system; use one in /usr/bin, /usr/lib, /usr/lib64 or /usr/libexec\n' \
  "$(printf '%s' "$emulator" | tr -c '[:alnum:]/._+-' '?')" >&2
exit 1
