//! The lists. A further call is added here, under its purpose, for the roles that need it.

use nix::libc::*;

use crate::init::role::Role;

/// A permitted form of `socket(domain, kind, protocol)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Socket {
    pub(super) domain: i32,
    pub(super) kind: i32,
    pub(super) protocol: i32,
}

const fn socket(domain: i32, kind: i32, protocol: i32) -> Socket {
    Socket { domain, kind, protocol }
}

/// Sockets with a path: notices to process 1, LMTP, metrics.
const LOCAL: &[Socket] = &[socket(AF_UNIX, SOCK_STREAM, 0), socket(AF_UNIX, SOCK_DGRAM, 0)];

/// TCP and UDP. No other protocol over IP: the kernel's rules about ports (Landlock) do not cover them.
const NETWORK: &[Socket] = &[
    socket(AF_INET, SOCK_STREAM, 0),
    socket(AF_INET, SOCK_STREAM, IPPROTO_TCP),
    socket(AF_INET, SOCK_DGRAM, 0),
    socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP),
    socket(AF_INET6, SOCK_STREAM, 0),
    socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP),
    socket(AF_INET6, SOCK_DGRAM, 0),
    socket(AF_INET6, SOCK_DGRAM, IPPROTO_UDP),
];

/// The query for the addresses of this machine.
const ADDRESSES: &[Socket] = &[socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE)];

/// The sockets that a role may create. The MDA is reached through those that process 1 has bound, and connects nowhere.
pub(super) fn sockets(role: Role) -> impl Iterator<Item = Socket> {
    let lists: &[&[Socket]] = match role {
        Role::Steward => &[LOCAL, NETWORK, ADDRESSES],
        Role::Mta => &[LOCAL, NETWORK],
        Role::Mda => &[LOCAL],
    };
    lists.iter().copied().flatten().copied()
}

/// The calls that a role may make, with any arguments.
pub(super) fn calls(role: Role) -> impl Iterator<Item = i64> {
    let lists: &[&[i64]] = match role {
        Role::Steward | Role::Mta => &[EVERY_ROLE, EVERY_ROLE_HERE, CONNECTING],
        // A copy within a mailbox is a hard link, and a message has the date that a client gave it.
        Role::Mda => &[EVERY_ROLE, EVERY_ROLE_HERE, COPYING, COPYING_HERE],
    };
    lists.iter().copied().flatten().copied()
}

/// `ioctl(_, request)`: blocking, the number of available octets, terminals, and, for the network, the number of an
/// interface.
pub(super) fn ioctls(role: Role) -> impl Iterator<Item = Ioctl> {
    let of_network: &[Ioctl] = match role {
        Role::Steward | Role::Mta => &[SIOCGIFINDEX],
        Role::Mda => &[],
    };
    [FIONBIO, FIONREAD, FIOCLEX, FIONCLEX, TCGETS, TIOCGWINSZ].into_iter().chain(of_network.iter().copied())
}

/// The calls of a network service written in Rust, with any arguments. No call changes an owner, makes a link, or sets
/// the mode of a file by its name; none sends a signal.
#[rustfmt::skip]
const EVERY_ROLE: &[i64] = &[
    // Open files, and memory.
    SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_pread64, SYS_pwrite64, SYS_preadv, SYS_pwritev, SYS_preadv2,
    SYS_pwritev2, SYS_lseek, SYS_close, SYS_close_range, SYS_flock, SYS_fstat, SYS_fsync, SYS_fdatasync,
    SYS_sync_file_range, SYS_syncfs, SYS_ftruncate, SYS_fallocate, SYS_fadvise64, SYS_readahead,
    SYS_copy_file_range, SYS_sendfile, SYS_splice, SYS_dup, SYS_dup3, SYS_pipe2, SYS_getdents64, SYS_fchmod,
    SYS_fstatfs, SYS_mmap, SYS_munmap, SYS_mprotect, SYS_mremap, SYS_madvise, SYS_msync, SYS_mincore, SYS_brk,
    // Files by their names; Landlock decides which.
    SYS_openat, SYS_openat2, SYS_newfstatat, SYS_statx, SYS_statfs, SYS_mkdirat, SYS_unlinkat, SYS_renameat,
    SYS_renameat2, SYS_readlinkat, SYS_faccessat, SYS_faccessat2, SYS_getcwd, SYS_umask,
    // Open sockets. None listens on one of its own.
    SYS_accept, SYS_accept4, SYS_shutdown, SYS_getsockname, SYS_getpeername, SYS_getsockopt, SYS_setsockopt,
    SYS_recvfrom, SYS_recvmsg, SYS_recvmmsg,
    // Waiting, and receiving signals.
    SYS_epoll_create1, SYS_epoll_ctl, SYS_epoll_pwait, SYS_epoll_pwait2, SYS_eventfd2, SYS_ppoll, SYS_pselect6,
    SYS_nanosleep, SYS_clock_nanosleep, SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn,
    SYS_rt_sigpending, SYS_rt_sigtimedwait, SYS_rt_sigsuspend, SYS_sigaltstack, SYS_restart_syscall,
    // Threads, and the end.
    SYS_futex, SYS_futex_waitv, SYS_set_robust_list, SYS_set_tid_address, SYS_rseq, SYS_membarrier,
    SYS_sched_yield, SYS_sched_getaffinity, SYS_sched_getparam, SYS_sched_getscheduler, SYS_getcpu, SYS_exit,
    SYS_exit_group,
    // Identity, time and random numbers.
    SYS_getpid, SYS_gettid, SYS_getppid, SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid, SYS_getgroups,
    SYS_getresuid, SYS_getresgid, SYS_uname, SYS_sysinfo, SYS_times, SYS_getrusage, SYS_clock_gettime,
    SYS_clock_getres, SYS_gettimeofday, SYS_getrandom,
    // Executing the role, and dropping more privileges.
    SYS_execve, SYS_seccomp,
];

/// The same calls under the names that only the oldest of the architectures has.
#[cfg(target_arch = "x86_64")]
#[rustfmt::skip]
const EVERY_ROLE_HERE: &[i64] = &[
    SYS_open, SYS_creat, SYS_stat, SYS_lstat, SYS_access, SYS_mkdir, SYS_rmdir, SYS_unlink, SYS_rename,
    SYS_readlink, SYS_getdents, SYS_dup2, SYS_pipe, SYS_poll, SYS_select, SYS_pause, SYS_epoll_create,
    SYS_epoll_wait, SYS_eventfd, SYS_getrlimit, SYS_time, SYS_arch_prctl,
];
#[cfg(not(target_arch = "x86_64"))]
const EVERY_ROLE_HERE: &[i64] = &[];

/// Connections over the network, and to other daemons through their sockets.
const CONNECTING: &[i64] = &[SYS_connect, SYS_bind];

/// Copies as hard links, and times of files.
const COPYING: &[i64] = &[SYS_linkat, SYS_utimensat];
#[cfg(target_arch = "x86_64")]
const COPYING_HERE: &[i64] = &[SYS_link];
#[cfg(not(target_arch = "x86_64"))]
const COPYING_HERE: &[i64] = &[];

/// The calls that only a compromised program makes.
#[rustfmt::skip]
pub(super) const HOSTILE: &[i64] = &[
    // Other processes and their resources.
    SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_pidfd_getfd, SYS_kcmp,
    // The kernel itself.
    SYS_bpf, SYS_perf_event_open, SYS_userfaultfd, SYS_init_module, SYS_finit_module, SYS_delete_module,
    SYS_kexec_load, SYS_kexec_file_load, SYS_reboot, SYS_syslog, SYS_add_key, SYS_request_key, SYS_keyctl,
    // Other namespaces and file systems.
    SYS_unshare, SYS_setns, SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_open_tree, SYS_move_mount,
    SYS_fsopen, SYS_fsmount, SYS_open_by_handle_at, SYS_swapon, SYS_swapoff,
    // Other users.
    SYS_setuid, SYS_setgid, SYS_setreuid, SYS_setregid, SYS_setresuid, SYS_setresgid, SYS_setfsuid,
    SYS_setfsgid, SYS_setgroups, SYS_capset,
    // The machine's clock and name.
    SYS_settimeofday, SYS_clock_settime, SYS_sethostname, SYS_setdomainname,
];

/// The calls that send data, each with the position of its flags.
pub(super) const SENDING: [(i64, u8); 3] = [(SYS_sendto, 3), (SYS_sendmsg, 2), (SYS_sendmmsg, 3)];

/// `prctl(option, …)`: names of threads and of memory, and dropping more privileges.
#[rustfmt::skip]
pub(super) const PRCTLS: [i32; 5] = [
    PR_SET_NAME, PR_GET_NAME, PR_SET_VMA, PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS,
];

/// `fcntl(_, command)`: copies of descriptors, their flags, and locks. Not included: making the kernel signal another
/// process (`F_SETOWN`, `F_SETSIG`, `F_NOTIFY`, leases).
#[rustfmt::skip]
pub(super) const FCNTLS: [i32; 12] = [
    F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GETLK, F_SETLK, F_SETLKW, F_OFD_GETLK,
    F_OFD_SETLK, F_OFD_SETLKW,
];
