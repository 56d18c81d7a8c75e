//! A person at a terminal, asked with or without showing what is typed.

use std::io::{self, Write as _};
use std::os::fd::AsFd as _;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

/// More than any password or address that is accepted.
const LONGEST_LINE: usize = 4096;

/// What would end or stop the program in the middle of a prompt, and leave the terminal mute.
const INTERRUPTING: [Signal; 5] =
    [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT, Signal::SIGTSTP];

/// Asks, and shows what is typed.
pub(crate) fn ask(question: &str) -> io::Result<String> {
    eprint!("{question}");
    io::stderr().flush()?;
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    Ok(line.trim().to_owned())
}

/// Asks, and does not show what is typed. However this ends, the terminal is as it was.
pub(super) fn ask_hidden(question: &str) -> io::Result<Zeroizing<Vec<u8>>> {
    let signals = Waiting::begin()?;
    let muted = Muted::begin()?;
    // Not before: what is typed or pasted in answer must not be thrown away with what was typed ahead.
    eprint!("{question}");
    io::stderr().flush()?;
    let line = read_line(&signals);
    drop(muted);
    line
}

/// One line, without its end. A signal ends it with an error.
fn read_line(signals: &Waiting) -> io::Result<Zeroizing<Vec<u8>>> {
    let stdin = io::stdin();
    let mut line = Zeroizing::new(Vec::with_capacity(LONGEST_LINE));
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
        let mut octets = Zeroizing::new([0; LONGEST_LINE]);
        let count = nix::unistd::read(stdin.as_fd(), &mut octets[..])?;
        let octets = &octets[..count];
        let end = octets.iter().position(|octet| *octet == b'\n');
        line.extend_from_slice(&octets[..end.unwrap_or(count)]);
        if end.is_some() || count == 0 || line.len() >= LONGEST_LINE {
            return Ok(line);
        }
    }
}

/// The signals wait while this lives.
struct Waiting {
    mask: SigSet,
    arrived: SignalFd,
}

impl Waiting {
    fn begin() -> io::Result<Self> {
        let mut mask = SigSet::empty();
        INTERRUPTING.into_iter().for_each(|signal| mask.add(signal));
        mask.thread_block()?;
        let arrived = SignalFd::with_flags(&mask, SfdFlags::SFD_CLOEXEC)?;
        Ok(Self { mask, arrived })
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        // One that came is delivered now, and does what it would have done: the terminal is in order again.
        let _ = self.mask.thread_unblock();
    }
}

/// The terminal shows nothing but the end of a line while this lives.
struct Muted(Termios);

impl Muted {
    fn begin() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut mute = before.clone();
        mute.local_flags.remove(LocalFlags::ECHO);
        mute.local_flags.insert(LocalFlags::ECHONL);
        // What was typed ahead was shown, and is no password.
        tcsetattr(io::stdin(), SetArg::TCSAFLUSH, &mute)?;
        Ok(Self(before))
    }
}

impl Drop for Muted {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), SetArg::TCSADRAIN, &self.0);
    }
}
