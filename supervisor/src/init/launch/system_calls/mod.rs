//! seccomp: the system calls that a role may make.
//!
//! Each role has its own list of permitted calls, not of forbidden ones: calls of newer kernels are refused until a
//! role needs them. A call that is not on the list fails as if the kernel did not have it (`ENOSYS`), which libraries
//! can handle. Calls that no mistake explains end the process instead, since injected code is running in it.
//!
//! The launcher has to execute the role, so executing is forbidden by a second filter, which the role installs as its
//! first act ([`seal`]).

mod calls;

use std::collections::BTreeMap;
use std::io;

use nix::libc;
use seccompiler::SeccompCmpArgLen::{Dword, Qword};
use seccompiler::SeccompCmpOp::{Eq, MaskedEq};
use seccompiler::{
    BpfProgram, Error, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};

use calls::{FCNTLS, HOSTILE, PRCTLS, SENDING, Socket};

use crate::init::role::Role;

/// The flags of `clone` that make namespaces.
const NAMESPACES: i32 = libc::CLONE_NEWNS
    | libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET;

/// The bits of a socket's kind that are not flags.
const SOCKET_KIND: u64 = 0xf;

/// Restricts this process to the list of the role, and ends it when it makes a hostile call.
pub(super) fn restrict(role: Role) -> Result<(), Error> {
    // Of two filters' results the stricter one counts.
    seccompiler::apply_filter(&hostile()?)?;
    seccompiler::apply_filter(&allowed(role)?)
}

/// Forbids executing programs and starting processes; threads remain possible. To be called before there are any.
pub fn seal() -> io::Result<()> {
    let filter = executing().map_err(io::Error::other)?;
    seccompiler::apply_filter(&filter).map_err(io::Error::other)
}

fn allowed(role: Role) -> Result<BpfProgram, Error> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        calls::calls(role).map(|call| (call, Vec::new())).collect();
    rules.insert(libc::SYS_socket, calls::sockets(role).map(socket).collect::<Result<_, _>>()?);
    rules.insert(libc::SYS_socketpair, vec![rule(0, Dword, Eq, number(libc::AF_UNIX))?]);
    rules.insert(libc::SYS_prctl, one_of(0, PRCTLS.map(number))?);
    rules.insert(libc::SYS_fcntl, one_of(1, FCNTLS.map(number))?);
    rules.insert(libc::SYS_ioctl, one_of(1, calls::ioctls(role))?);
    // Sending may implicitly open a connection, which the kernel's rules about ports do not cover.
    for (call, flags) in SENDING {
        rules.insert(call, vec![rule(flags, Dword, MaskedEq(number(libc::MSG_FASTOPEN)), 0)?]);
    }
    // Threads, and the calls with which the standard library would start a process. The newer call hides its flags in
    // memory where no filter sees them; libraries that get `ENOSYS` for it use this one.
    rules.insert(libc::SYS_clone, vec![rule(0, Qword, MaskedEq(number(NAMESPACES)), 0)?]);
    // To itself alone, as the end of a process that aborts. The number stays when the role is executed.
    let ourselves = condition(0, Dword, Eq, u64::from(std::process::id()))?;
    let abort = condition(2, Dword, Eq, number(libc::SIGABRT))?;
    rules.insert(libc::SYS_tgkill, vec![SeccompRule::new(vec![ourselves, abort])?]);
    // Its own limits, for reading.
    let (own, read) = (condition(0, Dword, Eq, 0)?, condition(2, Qword, Eq, 0)?);
    rules.insert(libc::SYS_prlimit64, vec![SeccompRule::new(vec![own, read])?]);
    program(rules, SeccompAction::Errno(number(libc::ENOSYS) as u32), SeccompAction::Allow)
}

fn socket(Socket { domain, kind, protocol }: Socket) -> Result<SeccompRule, Error> {
    Ok(SeccompRule::new(vec![
        condition(0, Dword, Eq, number(domain))?,
        condition(1, Dword, MaskedEq(SOCKET_KIND), number(kind))?,
        condition(2, Dword, Eq, number(protocol))?,
    ])?)
}

fn hostile() -> Result<BpfProgram, Error> {
    let rules = HOSTILE.iter().map(|call| (*call, Vec::new())).collect();
    program(rules, SeccompAction::Allow, SeccompAction::KillProcess)
}

fn executing() -> Result<BpfProgram, Error> {
    let mut rules = BTreeMap::from([(libc::SYS_execve, Vec::new()), (libc::SYS_execveat, Vec::new())]);
    #[cfg(target_arch = "x86_64")]
    rules.extend([(libc::SYS_fork, Vec::new()), (libc::SYS_vfork, Vec::new())]);
    rules.insert(libc::SYS_clone, vec![rule(0, Qword, MaskedEq(number(libc::CLONE_THREAD)), 0)?]);
    program(rules, SeccompAction::Allow, SeccompAction::Errno(number(libc::EPERM) as u32))
}

fn program(
    rules: BTreeMap<i64, Vec<SeccompRule>>,
    otherwise: SeccompAction,
    matched: SeccompAction,
) -> Result<BpfProgram, Error> {
    let architecture = TargetArch::try_from(std::env::consts::ARCH)?;
    Ok(SeccompFilter::new(rules, otherwise, matched, architecture)?.try_into()?)
}

/// A condition that the argument has one of these values.
fn one_of(argument: u8, values: impl IntoIterator<Item = u64>) -> Result<Vec<SeccompRule>, Error> {
    values.into_iter().map(|value| rule(argument, Dword, Eq, value)).collect()
}

fn rule(
    argument: u8,
    length: SeccompCmpArgLen,
    operator: SeccompCmpOp,
    value: u64,
) -> Result<SeccompRule, Error> {
    Ok(SeccompRule::new(vec![condition(argument, length, operator, value)?])?)
}

fn condition(
    argument: u8,
    length: SeccompCmpArgLen,
    operator: SeccompCmpOp,
    value: u64,
) -> Result<SeccompCondition, Error> {
    Ok(SeccompCondition::new(argument, length, operator, value)?)
}

/// A constant of the C library as the kernel sees it in a register.
fn number(constant: i32) -> u64 {
    u64::from(constant.cast_unsigned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_both_allowed_and_hostile_or_named_twice() {
        for role in Role::START_ORDER {
            let mut all: Vec<i64> = calls::calls(role).chain(HOSTILE.iter().copied()).collect();
            let count = all.len();
            all.sort_unstable();
            all.dedup();
            assert_eq!(all.len(), count, "{role:?}");
        }
    }

    #[test]
    fn no_role_may_signal_or_change_an_owner_and_only_the_mda_may_link() {
        for role in Role::START_ORDER {
            let may = |call| calls::calls(role).any(|listed| listed == call);
            for call in [
                libc::SYS_kill,
                libc::SYS_tkill,
                libc::SYS_tgkill,
                libc::SYS_rt_sigqueueinfo,
                libc::SYS_rt_tgsigqueueinfo,
                libc::SYS_pidfd_send_signal,
                libc::SYS_fchown,
                libc::SYS_fchownat,
                libc::SYS_fchmodat,
                libc::SYS_symlinkat,
            ] {
                assert!(!may(call), "{role:?}: {call}");
            }
            assert_eq!(may(libc::SYS_linkat), role == Role::Mda, "{role:?}");
            assert_eq!(may(libc::SYS_connect), role != Role::Mda, "{role:?}");
        }
    }

    #[test]
    fn every_filter_compiles_for_this_machine() {
        let of_roles = Role::START_ORDER.map(allowed);
        for filter in of_roles.into_iter().chain([hostile(), executing()]) {
            assert!(!filter.unwrap().is_empty());
        }
    }
}
