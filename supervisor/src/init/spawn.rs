//! Starts a daemon through the launcher stage.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use command_fds::{CommandFdExt, FdMapping};
use handover::sockets;
use nix::unistd::Pid;

/// The first descriptor that is passed, after the three standard ones.
pub(super) const FIRST_PASSED: i32 = 3;

/// Makes the C library return memory to the kernel. By default it keeps a heap for each of many threads, and keeps in
/// them memory that was freed below a block in use; blocks that were large once are served from there ever after. So
/// there are two heaps, large blocks are mapped and unmapped, and the free end of a heap is returned.
const ALLOCATOR: (&str, &str) = (
    "GLIBC_TUNABLES",
    "glibc.malloc.arena_max=2:glibc.malloc.mmap_threshold=65536:glibc.malloc.trim_threshold=131072",
);

/// A listening socket with the name under which the daemon requests it.
#[derive(Debug)]
pub struct NamedSocket {
    /// `smtp`, `imaps` and so on.
    pub name: &'static str,
    /// The socket.
    pub socket: OwnedFd,
}

/// The program of a daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The program: this one, or a test's double.
    pub path: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
}

/// Starts the program with its sockets, in a process group of its own, without our environment: the settings have
/// secrets in them.
///
/// The group begins with the child itself and before it runs, so there is no moment at which a signal to the group
/// misses it. The reaper handles its end, so the handle is dropped.
pub fn spawn(
    program: &Program,
    passed: &[NamedSocket],
    notify: &Path,
    output: Option<&File>,
) -> io::Result<Pid> {
    let names: Vec<&str> = passed.iter().map(|passed| passed.name).collect();
    let mappings: io::Result<Vec<FdMapping>> = (FIRST_PASSED..)
        .zip(passed)
        .map(|(child_fd, passed)| Ok(FdMapping { parent_fd: passed.socket.try_clone()?, child_fd }))
        .collect();
    let mut command = Command::new(&program.path);
    command
        .args(&program.arguments)
        .arg0("mailstead")
        .env_clear()
        .env("NOTIFY_SOCKET", notify)
        .env(ALLOCATOR.0, ALLOCATOR.1)
        .envs(sockets::environment(&names))
        .envs(["RUST_BACKTRACE", "TZ"].into_iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
        .stdin(Stdio::null())
        .process_group(0)
        .fd_mappings(mappings?)
        .map_err(io::Error::other)?;
    if let Some(output) = output {
        command.stdout(output.try_clone()?).stderr(output.try_clone()?);
    }
    let child = command.spawn()?;
    i32::try_from(child.id()).map(Pid::from_raw).map_err(io::Error::other)
}
