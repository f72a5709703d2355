;; Denies domains whose name is longer than 63 bytes. The event arrives flattened in linear memory (wit/types.wit): kind
;; at 16, name at 24, event at 32, each a pointer and a length. `handle` returns a pointer to the outcome: a byte with the
;; case (0 allow, 1 deny, 2 replace), then pointer and length of the text at 4.
(module
  (memory (export "memory") 1)
  ;; Bytes 0 to 15 stay zero (`allow`); the denial is at 16, its reason at 32.
  (data (i32.const 16) "\01\00\00\00\20\00\00\00\36\00\00\00")
  (data (i32.const 32) "the name is longer than 63 bytes; choose a shorter one")
  (data (i32.const 96) "domainprepare")

  ;; The next free byte.
  (global $free (mut i32) (i32.const 128))

  ;; The host allocates memory for the strings of the event. An instance decides one event, so memory is never freed.
  (func (export "cabi_realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32)
    (result i32)
    (local $start i32)
    (local $end i32)
    ;; start = free, rounded up to the alignment
    (local.set $start
      (i32.and
        (i32.sub (i32.add (global.get $free) (local.get $align)) (i32.const 1))
        (i32.sub (i32.const 0) (local.get $align))))
    (local.set $end (i32.add (local.get $start) (local.get $size)))
    (if (i32.lt_u (local.get $end) (local.get $start)) (then unreachable))
    ;; grow by whole pages if the end is beyond the memory
    (if (i32.gt_u (local.get $end) (i32.shl (memory.size) (i32.const 16)))
      (then
        (if
          (i32.eq
            (memory.grow
              (i32.sub
                (i32.add (i32.shr_u (i32.sub (local.get $end) (i32.const 1)) (i32.const 16)) (i32.const 1))
                (memory.size)))
            (i32.const -1))
          (then unreachable))))
    (global.set $free (local.get $end))
    (local.get $start))

  ;; Tells whether the text at $text (pointer and length) equals the $length bytes at $bytes.
  (func $is (param $text i32) (param $bytes i32) (param $length i32) (result i32)
    (local $at i32)
    (if (i32.ne (i32.load offset=4 (local.get $text)) (local.get $length)) (then (return (i32.const 0))))
    (loop $next
      (if (i32.lt_u (local.get $at) (local.get $length))
        (then
          (if
            (i32.ne
              (i32.load8_u (i32.add (i32.load (local.get $text)) (local.get $at)))
              (i32.load8_u (i32.add (local.get $bytes) (local.get $at))))
            (then (return (i32.const 0))))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br $next))))
    (i32.const 1))

  (func (export "hookvisor:hook/handler@0.1.0#handle") (param $event i32) (result i32)
    (if (i32.eqz (call $is (i32.add (local.get $event) (i32.const 16)) (i32.const 96) (i32.const 6)))
      (then (return (i32.const 0))))
    (if (i32.eqz (call $is (i32.add (local.get $event) (i32.const 32)) (i32.const 102) (i32.const 7)))
      (then (return (i32.const 0))))
    (if (i32.le_u (i32.load offset=28 (local.get $event)) (i32.const 63)) (then (return (i32.const 0))))
    (i32.const 16)))
