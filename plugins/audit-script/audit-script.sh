#!/bin/sh
# A classic hook: NAME OPERATION SUBOPERATION EXTRA as arguments, the XML on stdin; a non-zero exit status denies, and
# stderr is the reason. Allows a domain to start only if its emulator is in one of the system's folders.
set -u

operation=${2:-}
case $operation in
  start) ;;
  *) exit 0 ;;
esac

# Networks have a `start` too, with a different document. Reads the whole document, so that the writer gets no EPIPE.
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
