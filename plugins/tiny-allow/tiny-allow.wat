;; Allows everything. The event arrives flattened in linear memory: `handle` takes a pointer to it and gives a pointer
;; to the outcome, whose first byte says which case it is; `allow` is 0 and carries nothing.
(module
  (memory (export "memory") 1)

  ;; The next free byte. Bytes 0 to 15 stay zero: they are the answer.
  (global $free (mut i32) (i32.const 16))

  ;; The host asks for room for the event's strings. An instance decides one event, so nothing is ever given back.
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
    ;; grow by whole pages when the end lies beyond the memory
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

  (func (export "hookvisor:hook/handler@0.1.0#handle") (param $event i32) (result i32)
    (i32.const 0)))
