//! System calls made from inside a running process, as code that has compromised it would make them.
//!
//! The process is stopped as a debugger stops it, its registers are set to the call, and one instruction is executed.
//! So the call comes from the process itself, with its user, its filters and its rules. It needs root, and it is
//! written for the processors that the tests run on.

use std::fs::File;
use std::os::unix::fs::FileExt;

use nix::errno::Errno;
use nix::sys::ptrace;
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::wait;

/// The result of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It returned this value.
    Returned(i64),
    /// It returned this error.
    Refused(Errno),
    /// The kernel ended the process.
    Killed,
}

/// The instruction that enters the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallInstruction {
    /// `syscall`.
    Native,
    /// `int 0x80`, the instruction for the calls of 32-bit programs, which have other numbers.
    Compatible,
}

impl CallInstruction {
    fn instruction(self) -> [u8; 2] {
        match self {
            Self::Native => [0x0f, 0x05],
            Self::Compatible => [0xcd, 0x80],
        }
    }
}

/// A process that is stopped to make calls. It continues where it was when this is dropped.
pub struct Injection {
    process: Pid,
    memory: File,
    registers: nix::libc::user_regs_struct,
    /// The address of the instruction by which it has entered the kernel.
    code: u64,
    /// The next free octet below the stack.
    free: u64,
    is_alive: bool,
}

/// The room below the stack that arguments in memory use, beyond the red zone, which a function may use without
/// adjusting the stack pointer.
const ROOM: u64 = 2048;
const RED_ZONE: u64 = 128;

impl Injection {
    /// Stops the process once it waits in the kernel.
    #[track_caller]
    pub fn into(process: Pid) -> Self {
        let memory = File::options()
            .read(true)
            .write(true)
            .open(format!("/proc/{process}/mem"))
            .expect("its memory can be opened");
        let (registers, code) = wait::until("the process waits in the kernel", || {
            ptrace::attach(process).unwrap_or_else(|errno| panic!("cannot stop {process}: {errno}"));
            wait(process);
            let registers = ptrace::getregs(process).expect("the process is stopped");
            let mut before = [0; 2];
            let code = registers.rip - 2;
            memory.read_exact_at(&mut before, code).expect("its code can be read");
            if before == CallInstruction::Native.instruction() {
                return Some((registers, code));
            }
            ptrace::detach(process, None).expect("the process is stopped");
            None
        });
        Self { process, memory, registers, code, free: registers.rsp - RED_ZONE - ROOM, is_alive: true }
    }

    /// The process.
    pub fn process(&self) -> Pid {
        self.process
    }

    /// Writes octets into its memory; returns their address.
    #[track_caller]
    pub fn octets(&mut self, octets: &[u8]) -> u64 {
        let at = self.free;
        let length = octets.len() as u64;
        assert!(at + length < self.registers.rsp - RED_ZONE, "the arguments have no room");
        self.memory.write_all_at(octets, at).expect("its memory can be written");
        self.free += length.next_multiple_of(16);
        at
    }

    /// Writes a text into its memory; returns its address.
    pub fn text(&mut self, text: &str) -> u64 {
        self.octets(&[text.as_bytes(), b"\0"].concat())
    }

    /// Makes a call.
    pub fn call(&mut self, number: i64, arguments: &[u64]) -> Outcome {
        self.call_through(CallInstruction::Native, number, arguments)
    }

    /// Makes a call by another instruction. It is written into the code that all threads execute, so the process must
    /// have a single thread.
    #[track_caller]
    pub fn call_through(&mut self, gate: CallInstruction, number: i64, arguments: &[u64]) -> Outcome {
        let argument = |place: usize| arguments.get(place).copied().unwrap_or(0);
        let mut registers = self.registers;
        registers.rax = number.cast_unsigned();
        registers.rip = self.code;
        // The call that it waited in is not restarted.
        registers.orig_rax = u64::MAX;
        (registers.rdi, registers.rsi, registers.rdx) = (argument(0), argument(1), argument(2));
        (registers.r10, registers.r8, registers.r9) = (argument(3), argument(4), argument(5));
        if gate == CallInstruction::Compatible {
            (registers.rbx, registers.rcx) = (argument(0), argument(1));
        }
        if gate != CallInstruction::Native {
            self.memory.write_all_at(&gate.instruction(), self.code).expect("its code can be written");
        }
        ptrace::setregs(self.process, registers).expect("the process is stopped");
        self.free = self.registers.rsp - RED_ZONE - ROOM;
        loop {
            ptrace::step(self.process, None).expect("the process is stopped");
            match wait(self.process) {
                WaitStatus::Stopped(..) => {}
                WaitStatus::Signaled(_, Signal::SIGSYS, _) => {
                    self.is_alive = false;
                    return Outcome::Killed;
                }
                status => panic!("call {number} ended the process: {status:?}"),
            }
            let after = ptrace::getregs(self.process).expect("the process is stopped");
            // A signal may have come before the instruction.
            if after.rip != registers.rip {
                return match after.rax.cast_signed() {
                    errno @ -4095..=-1 => Outcome::Refused(Errno::from_raw(-errno as i32)),
                    value => Outcome::Returned(value),
                };
            }
        }
    }
}

impl Drop for Injection {
    fn drop(&mut self) {
        if self.is_alive {
            let _ = ptrace::setregs(self.process, self.registers);
            let _ = ptrace::detach(self.process, None);
        }
    }
}

fn wait(process: Pid) -> WaitStatus {
    waitpid(process, Some(WaitPidFlag::__WALL)).expect("we trace it")
}
