//! The lists. Whoever needs another call adds it here, under what it is for.

use nix::libc::*;

/// What a network service written in Rust calls, whatever the arguments.
#[rustfmt::skip]
pub(super) const ALLOWED: &[i64] = &[
    // Files that are open, and memory.
    SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_pread64, SYS_pwrite64, SYS_preadv, SYS_pwritev, SYS_preadv2,
    SYS_pwritev2, SYS_lseek, SYS_close, SYS_close_range, SYS_fcntl, SYS_flock, SYS_fstat, SYS_fsync,
    SYS_fdatasync, SYS_sync_file_range, SYS_syncfs, SYS_ftruncate, SYS_fallocate, SYS_fadvise64, SYS_readahead,
    SYS_copy_file_range, SYS_sendfile, SYS_splice, SYS_dup, SYS_dup3, SYS_pipe2, SYS_getdents64, SYS_fchmod,
    SYS_fchown, SYS_fstatfs, SYS_mmap, SYS_munmap, SYS_mprotect, SYS_mremap, SYS_madvise, SYS_msync,
    SYS_mincore, SYS_mlock, SYS_mlock2, SYS_munlock, SYS_brk,
    // Files by their names; Landlock says which.
    SYS_openat, SYS_openat2, SYS_newfstatat, SYS_statx, SYS_statfs, SYS_truncate, SYS_mkdirat, SYS_unlinkat,
    SYS_renameat, SYS_renameat2, SYS_linkat, SYS_symlinkat, SYS_readlinkat, SYS_fchmodat, SYS_faccessat,
    SYS_faccessat2, SYS_utimensat, SYS_getcwd, SYS_umask, SYS_inotify_init1, SYS_inotify_add_watch,
    SYS_inotify_rm_watch,
    // Sockets; which may be made stands below. Nobody listens on one of its own.
    SYS_socketpair, SYS_connect, SYS_bind, SYS_accept, SYS_accept4, SYS_shutdown, SYS_getsockname,
    SYS_getpeername, SYS_getsockopt, SYS_setsockopt, SYS_sendto, SYS_recvfrom, SYS_sendmsg, SYS_recvmsg,
    SYS_sendmmsg, SYS_recvmmsg,
    // Waiting and being told.
    SYS_epoll_create1, SYS_epoll_ctl, SYS_epoll_pwait, SYS_epoll_pwait2, SYS_eventfd2, SYS_timerfd_create,
    SYS_timerfd_settime, SYS_timerfd_gettime, SYS_signalfd4, SYS_ppoll, SYS_pselect6, SYS_nanosleep,
    SYS_clock_nanosleep, SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_rt_sigpending,
    SYS_rt_sigtimedwait, SYS_rt_sigsuspend, SYS_sigaltstack, SYS_restart_syscall,
    // Threads, and the end.
    SYS_futex, SYS_futex_waitv, SYS_set_robust_list, SYS_get_robust_list, SYS_set_tid_address, SYS_rseq,
    SYS_membarrier, SYS_sched_yield, SYS_sched_getaffinity, SYS_sched_getparam, SYS_sched_getscheduler,
    SYS_getcpu, SYS_exit, SYS_exit_group,
    // Who and where we are, what time it is, numbers that nobody can guess.
    SYS_getpid, SYS_gettid, SYS_getppid, SYS_getpgid, SYS_getsid, SYS_getuid, SYS_geteuid, SYS_getgid,
    SYS_getegid, SYS_getgroups, SYS_getresuid, SYS_getresgid, SYS_uname, SYS_sysinfo, SYS_times, SYS_getrusage,
    SYS_prlimit64, SYS_clock_gettime, SYS_clock_getres, SYS_gettimeofday, SYS_getrandom,
    // Becoming the role, and giving up more.
    SYS_execve, SYS_seccomp,
];

/// The same calls under the names that only the oldest of the architectures has.
#[cfg(target_arch = "x86_64")]
#[rustfmt::skip]
pub(super) const ALLOWED_HERE: &[i64] = &[
    SYS_open, SYS_creat, SYS_stat, SYS_lstat, SYS_access, SYS_mkdir, SYS_rmdir, SYS_unlink, SYS_rename,
    SYS_link, SYS_symlink, SYS_readlink, SYS_chmod, SYS_utime, SYS_utimes, SYS_futimesat, SYS_getdents,
    SYS_dup2, SYS_pipe, SYS_poll, SYS_select, SYS_pause, SYS_alarm, SYS_epoll_create, SYS_epoll_wait,
    SYS_eventfd, SYS_inotify_init, SYS_getpgrp, SYS_getrlimit, SYS_time, SYS_arch_prctl,
];
#[cfg(not(target_arch = "x86_64"))]
pub(super) const ALLOWED_HERE: &[i64] = &[];

/// What only somebody calls who wants out of here.
#[rustfmt::skip]
pub(super) const HOSTILE: &[i64] = &[
    // Other processes, and what they have.
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

/// `socket(domain, …)`: the network, sockets with a path, and asking which addresses this machine has.
pub(super) const DOMAINS: [i32; 4] = [AF_UNIX, AF_INET, AF_INET6, AF_NETLINK];

/// `prctl(option, …)`: names of threads and of memory, and giving up more.
#[rustfmt::skip]
pub(super) const PRCTLS: [i32; 5] = [
    PR_SET_NAME, PR_GET_NAME, PR_SET_VMA, PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS,
];

/// `ioctl(_, request)`: whether to block, how much there is, whether it is a terminal, and an interface's number.
#[rustfmt::skip]
pub(super) const IOCTLS: [Ioctl; 7] = [
    FIONBIO, FIONREAD, FIOCLEX, FIONCLEX, TCGETS, TIOCGWINSZ, SIOCGIFINDEX,
];
