/** Numbers of a system call on x86-64 and arm64 (Linux `asm/unistd_64.h`, `asm-generic/unistd.h`); null if none. */
export type CallNumbers = readonly [x64: number | null, arm64: number | null];

/** An architecture with known numbers, as in `process.arch`. */
export type FilteredArch = 'x64' | 'arm64';

const otherProcesses = {
  fork: [57, null],
  vfork: [58, null],
  execveat: [322, 281],
  ptrace: [101, 117],
  process_vm_readv: [310, 270],
  process_vm_writev: [311, 271],
  process_madvise: [440, 440],
  process_mrelease: [448, 448],
  kcmp: [312, 272],
  pidfd_open: [434, 434],
  pidfd_getfd: [438, 438],
  pidfd_send_signal: [424, 424],
} as const satisfies Record<string, CallNumbers>;

/** A network namespace does not confine vsock and some netlink families. Stdin and stdout already are sockets. */
const sockets = {
  socket: [41, 198],
  socketpair: [53, 199],
  connect: [42, 203],
  bind: [49, 200],
  listen: [50, 201],
  accept: [43, 202],
  accept4: [288, 242],
  sendmsg: [46, 211],
  recvmsg: [47, 212],
  sendmmsg: [307, 269],
  recvmmsg: [299, 243],
} as const satisfies Record<string, CallNumbers>;

const namespacesAndMounts = {
  unshare: [272, 97],
  setns: [308, 268],
  mount: [165, 40],
  umount2: [166, 39],
  pivot_root: [155, 41],
  chroot: [161, 51],
  open_tree: [428, 428],
  move_mount: [429, 429],
  fsopen: [430, 430],
  fsconfig: [431, 431],
  fsmount: [432, 432],
  fspick: [433, 433],
  mount_setattr: [442, 442],
  statmount: [457, 457],
  listmount: [458, 458],
} as const satisfies Record<string, CallNumbers>;

const files = {
  open_by_handle_at: [304, 265],
  name_to_handle_at: [303, 264],
  fanotify_init: [300, 262],
  fanotify_mark: [301, 263],
  quotactl: [179, 60],
  quotactl_fd: [443, 443],
  mknod: [133, null],
  mknodat: [259, 33],
} as const satisfies Record<string, CallNumbers>;

/** The source of most kernel vulnerabilities that unprivileged users could exploit. */
const largeParts = {
  bpf: [321, 280],
  perf_event_open: [298, 241],
  userfaultfd: [323, 282],
  seccomp: [317, 277],
  add_key: [248, 217],
  request_key: [249, 218],
  keyctl: [250, 219],
  io_uring_setup: [425, 425],
  io_uring_enter: [426, 426],
  io_uring_register: [427, 427],
  io_setup: [206, 0],
  io_destroy: [207, 1],
  io_submit: [209, 2],
  io_cancel: [210, 3],
  io_getevents: [208, 4],
  io_pgetevents: [333, 292],
  vmsplice: [278, 75],
  splice: [275, 76],
  tee: [276, 77],
} as const satisfies Record<string, CallNumbers>;

const memory = {
  memfd_create: [319, 279],
  memfd_secret: [447, 447],
  remap_file_pages: [216, 234],
  mbind: [237, 235],
  set_mempolicy: [238, 237],
  set_mempolicy_home_node: [450, 450],
  migrate_pages: [256, 238],
  move_pages: [279, 239],
} as const satisfies Record<string, CallNumbers>;

const machine = {
  kexec_load: [246, 104],
  kexec_file_load: [320, 294],
  init_module: [175, 105],
  finit_module: [313, 273],
  delete_module: [176, 106],
  create_module: [174, null],
  query_module: [178, null],
  get_kernel_syms: [177, null],
  swapon: [167, 224],
  swapoff: [168, 225],
  reboot: [169, 142],
  acct: [163, 89],
  syslog: [103, 116],
  sethostname: [170, 161],
  setdomainname: [171, 162],
  vhangup: [153, 58],
  settimeofday: [164, 170],
  clock_settime: [227, 112],
  clock_adjtime: [305, 266],
  adjtimex: [159, 171],
} as const satisfies Record<string, CallNumbers>;

const oldOrOdd = {
  personality: [135, 92],
  modify_ldt: [154, null],
  iopl: [172, null],
  ioperm: [173, null],
  uselib: [134, null],
  ustat: [136, null],
  sysfs: [139, null],
  _sysctl: [156, null],
  nfsservctl: [180, 42],
  lookup_dcookie: [212, 18],
} as const satisfies Record<string, CallNumbers>;

const ipc = {
  msgget: [68, 186],
  msgsnd: [69, 189],
  msgrcv: [70, 188],
  msgctl: [71, 187],
  semget: [64, 190],
  semop: [65, 193],
  semtimedop: [220, 192],
  semctl: [66, 191],
  shmget: [29, 194],
  shmat: [30, 196],
  shmdt: [67, 197],
  shmctl: [31, 195],
  mq_open: [240, 180],
  mq_unlink: [241, 181],
  mq_timedsend: [242, 182],
  mq_timedreceive: [243, 183],
  mq_notify: [244, 184],
  mq_getsetattr: [245, 185],
} as const satisfies Record<string, CallNumbers>;

/**
 * System calls that no sandbox process needs, by name. Node 20 to 26 makes none of them, except `io_uring_setup`; when
 * it fails, libuv behaves as on an older kernel.
 */
export const refusedCalls: Readonly<Record<string, CallNumbers>> = {
  ...otherProcesses,
  ...sockets,
  ...namespacesAndMounts,
  ...files,
  ...largeParts,
  ...memory,
  ...machine,
  ...oldOrOdd,
  ...ipc,
};

/** Starts threads and processes; its first argument contains its flags on both architectures. */
export const clone: CallNumbers = [56, 220];

/** Like `clone`, but with its flags in memory, which a filter cannot read. After ENOSYS, libc falls back to `clone`. */
export const clone3: CallNumbers = [435, 435];

/** The highest number that the list above takes into account: `mseal` of Linux 6.10. */
export const newestCall = 462;
