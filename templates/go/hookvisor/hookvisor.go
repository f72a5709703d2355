// Package hookvisor implements the contract of wit/ with the canonical ABI. An instance decides one event.
package hookvisor

import (
	"encoding/binary"
	"runtime"
	"unsafe"
)

// Event is one call of a libvirt hook. Names are hostile: they may contain any character except NUL.
type Event struct {
	ID        string
	Time      uint64 // milliseconds since the Unix epoch
	Kind      string
	Name      string
	Event     string
	Qualifier string
	Extra     string // empty when there is none
	Driver    string
	UUID      string // empty when the document has none
}

// Outcome is what a handler decides: Allow, Deny or Replace.
type Outcome struct {
	tag  byte
	text string
}

// Allow means no objection: the next handler decides.
func Allow() Outcome { return Outcome{} }

// Deny means that the operation must not happen; the user of libvirt sees the reason.
func Deny(reason string) Outcome { return Outcome{1, reason} }

// Replace continues with this document: only at migrate and restore, with the grant replace.
func Replace(document string) Outcome { return Outcome{2, document} }

// Level is the severity of a message.
type Level int32

// The levels, lowest first.
const (
	Debug Level = iota
	Info
	Warn
	Error
)

// Log adds a message to the journal.
func Log(level Level, message string) {
	text := []byte(message + "\x00")
	hostLog(int32(level), unsafe.Pointer(&text[0]), uint32(len(message)))
	runtime.KeepAlive(text)
}

// Settings returns the settings as JSON text, always an object.
func Settings() string {
	result := new([8]byte)
	hostSettings(unsafe.Pointer(result))
	return textAt(result[:])
}

// Document returns the whole document, and whether the event has one.
func Document() (string, bool) {
	result := new([12]byte)
	hostText(unsafe.Pointer(result))
	return textAt(result[4:]), result[0] != 0
}

// Select returns the string value of each node that an XPath 1.0 expression selects. Without a document, or with one that
// is not XML, the plug-in fails.
func Select(xpath string) []string {
	text := []byte(xpath + "\x00")
	result := new([16]byte)
	hostSelect(unsafe.Pointer(&text[0]), uint32(len(xpath)), unsafe.Pointer(result))
	runtime.KeepAlive(text)
	if result[0] != 0 {
		panic("cannot select")
	}
	items := bytesAt(result[4:], 8)
	found := make([]string, len(items)/8)
	for at := range found {
		found[at] = textAt(items[at*8:])
	}
	return found
}

// Handler and Validator are set once, in init.
var (
	Handler   func(Event) Outcome
	Validator = func() error { return nil }
)

//go:wasmexport hookvisor:hook/handler@0.1.0#handle
func handle(raw unsafe.Pointer) unsafe.Pointer {
	event := unsafe.Slice((*byte)(raw), 80)
	outcome := Handler(Event{
		ID:        textAt(event[0:]),
		Time:      binary.LittleEndian.Uint64(event[8:]),
		Kind:      textAt(event[16:]),
		Name:      textAt(event[24:]),
		Event:     textAt(event[32:]),
		Qualifier: textAt(event[40:]),
		Extra:     optionalAt(event[48:]),
		Driver:    textAt(event[60:]),
		UUID:      optionalAt(event[68:]),
	})
	return answer(outcome.tag, outcome.text)
}

//go:wasmexport hookvisor:hook/configurable@0.1.0#validate
func validate() unsafe.Pointer {
	if err := Validator(); err != nil {
		return answer(1, err.Error())
	}
	return answer(0, "")
}

// Memory that the host writes, or reads after the call, must not be garbage collected.
var kept [][]uint64

//go:wasmexport cabi_realloc
func reallocate(old unsafe.Pointer, oldLength, align, length uint32) unsafe.Pointer {
	if old != nil {
		panic("the host only allocates new memory")
	}
	room := make([]uint64, length/8+1)
	kept = append(kept, room)
	return unsafe.Pointer(&room[0])
}

func answer(tag byte, text string) unsafe.Pointer {
	bytes := unsafe.Slice((*byte)(reallocate(nil, 0, 8, uint32(12+len(text)))), 12+len(text))
	bytes[0] = tag
	start := uint32(uintptr(unsafe.Pointer(&bytes[0])))
	binary.LittleEndian.PutUint32(bytes[4:], start+12)
	binary.LittleEndian.PutUint32(bytes[8:], uint32(len(text)))
	copy(bytes[12:], text)
	return unsafe.Pointer(&bytes[0])
}

func optionalAt(raw []byte) string {
	if raw[0] == 0 {
		return ""
	}
	return textAt(raw[4:])
}

func textAt(raw []byte) string { return string(bytesAt(raw, 1)) }

// bytesAt returns the bytes of count items of this size at a pointer.
func bytesAt(raw []byte, size uint32) []byte {
	start := binary.LittleEndian.Uint32(raw)
	count := binary.LittleEndian.Uint32(raw[4:])
	if count == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(uintptr(start))), count*size)
}

//go:wasmimport hookvisor:hook/document@0.1.0 text
func hostText(result unsafe.Pointer)

//go:wasmimport hookvisor:hook/document@0.1.0 select
func hostSelect(xpath unsafe.Pointer, length uint32, result unsafe.Pointer)

//go:wasmimport hookvisor:hook/settings@0.1.0 json
func hostSettings(result unsafe.Pointer)

//go:wasmimport hookvisor:hook/log@0.1.0 write
func hostLog(level int32, message unsafe.Pointer, length uint32)
