//! Prompts on the operator's terminal, with or without echo.

use std::io::{self, Write as _};
use std::os::fd::AsFd as _;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

/// More than any password or address that is accepted.
const MAX_LINE: usize = 4096;

/// The signals that would end or stop the program in the middle of a prompt, and leave the terminal without echo.
const INTERRUPTING: [Signal; 5] =
    [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT, Signal::SIGTSTP];

/// Prompts with echo.
pub(crate) fn prompt(text: &str) -> io::Result<String> {
    eprint!("{text}");
    io::stderr().flush()?;
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    Ok(line.trim().to_owned())
}

/// Prompts without echo. However this ends, the terminal is restored.
pub(super) fn prompt_hidden(text: &str) -> io::Result<Zeroizing<Vec<u8>>> {
    let signals = BlockedSignals::begin()?;
    let muted = EchoOff::begin()?;
    // Not before: an answer that is typed or pasted must not be discarded together with earlier input.
    eprint!("{text}");
    io::stderr().flush()?;
    let line = read_line(&signals);
    drop(muted);
    line
}

/// Reads one line, without its end. A signal ends it with an error.
fn read_line(signals: &BlockedSignals) -> io::Result<Zeroizing<Vec<u8>>> {
    let stdin = io::stdin();
    let mut line = Zeroizing::new(Vec::with_capacity(MAX_LINE));
    loop {
        let mut sources = [
            PollFd::new(stdin.as_fd(), PollFlags::POLLIN),
            PollFd::new(signals.arrived.as_fd(), PollFlags::POLLIN),
        ];
        poll(&mut sources, PollTimeout::NONE)?;
        if sources[1].any().unwrap_or(false) {
            return Err(io::Error::new(io::ErrorKind::Interrupted, "interrupted"));
        }
        // Past the standard library's buffer, where a copy would stay.
        let mut octets = Zeroizing::new([0; MAX_LINE]);
        let count = nix::unistd::read(stdin.as_fd(), &mut octets[..])?;
        let octets = &octets[..count];
        let end = octets.iter().position(|octet| *octet == b'\n');
        line.extend_from_slice(&octets[..end.unwrap_or(count)]);
        if end.is_some() || count == 0 || line.len() >= MAX_LINE {
            return Ok(line);
        }
    }
}

/// Blocks the signals until this is dropped.
struct BlockedSignals {
    mask: SigSet,
    arrived: SignalFd,
}

impl BlockedSignals {
    fn begin() -> io::Result<Self> {
        let mut mask = SigSet::empty();
        INTERRUPTING.into_iter().for_each(|signal| mask.add(signal));
        mask.thread_block()?;
        let arrived = SignalFd::with_flags(&mask, SfdFlags::SFD_CLOEXEC)?;
        Ok(Self { mask, arrived })
    }
}

impl Drop for BlockedSignals {
    fn drop(&mut self) {
        // A pending one is delivered now, and has its usual effect: the terminal is restored.
        let _ = self.mask.thread_unblock();
    }
}

/// The terminal echoes nothing but the end of a line until this is dropped.
struct EchoOff(Termios);

impl EchoOff {
    fn begin() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut mute = before.clone();
        mute.local_flags.remove(LocalFlags::ECHO);
        mute.local_flags.insert(LocalFlags::ECHONL);
        // Earlier input was shown, and is not a password.
        tcsetattr(io::stdin(), SetArg::TCSAFLUSH, &mute)?;
        Ok(Self(before))
    }
}

impl Drop for EchoOff {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), SetArg::TCSADRAIN, &self.0);
    }
}
