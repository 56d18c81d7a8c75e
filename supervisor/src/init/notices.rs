//! The notices of the daemons.

use std::io::{self, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::net::UnixDatagram;
use std::path::Path;

use handover::notice::{MAX_LEN, Notice};
use nix::errno::Errno;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, UnixAddr, recvmsg, setsockopt, sockopt};
use nix::unistd::{Pid, Uid};

/// The most datagrams without a sender that are skipped in a row; the kernel names the sender of each, as requested.
const WITHOUT_SENDER: usize = 64;

/// The socket in `NOTIFY_SOCKET`.
#[derive(Debug)]
pub struct Notices(UnixDatagram);

/// The sender of a notice, according to the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoticeSender {
    /// Its process.
    pub process: Pid,
    /// The user that it runs as.
    pub user: Uid,
}

impl NoticeSender {
    /// True if it runs as the same user as we do: an operator's command, which is root in the container. Daemons there
    /// are not.
    pub fn is_operator(&self) -> bool {
        self.user == Uid::effective()
    }
}

impl Notices {
    /// Binds the socket. Every process on this machine may write to it: the kernel identifies the sender, and a notice
    /// of a process that is not one of ours is ignored.
    pub fn bind(path: &Path) -> io::Result<Self> {
        use std::os::unix::fs::PermissionsExt;
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let socket = UnixDatagram::bind(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o666))?;
        socket.set_nonblocking(true)?;
        setsockopt(&socket, sockopt::PassCred, &true)?;
        Ok(Self(socket))
    }

    /// The next notice that has arrived, with its sender.
    pub fn next(&self) -> io::Result<Option<(NoticeSender, Notice)>> {
        let mut datagram = [0; MAX_LEN];
        let mut control = nix::cmsg_space!(nix::sys::socket::UnixCredentials);
        for _ in 0..WITHOUT_SENDER {
            let mut parts = [IoSliceMut::new(&mut datagram)];
            let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_CMSG_CLOEXEC;
            let received =
                match recvmsg::<UnixAddr>(self.0.as_raw_fd(), &mut parts, Some(&mut control), flags) {
                    Ok(received) => received,
                    Err(Errno::EAGAIN) => return Ok(None),
                    Err(Errno::EINTR) => continue,
                    Err(errno) => return Err(errno.into()),
                };
            let sender = received.cmsgs().ok().and_then(|mut messages| {
                messages.find_map(|message| match message {
                    ControlMessageOwned::ScmCredentials(credentials) => Some(NoticeSender {
                        process: Pid::from_raw(credentials.pid()),
                        user: Uid::from_raw(credentials.uid()),
                    }),
                    _ => None,
                })
            });
            let octets = received.bytes;
            if let Some(sender) = sender {
                return Ok(Some((sender, Notice::parse(&datagram[..octets]))));
            }
        }
        Ok(None)
    }
}

impl AsFd for Notices {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_comes_with_the_process_that_sent_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify.sock");
        let notices = Notices::bind(&path).unwrap();
        assert!(notices.next().unwrap().is_none());
        let sender = UnixDatagram::unbound().unwrap();
        sender.send_to(b"READY=1\nX_QUEUE=3", &path).unwrap();
        sender.send_to(&[b'x'; 2 * MAX_LEN], &path).unwrap();
        let (sender, notice) = notices.next().unwrap().unwrap();
        assert_eq!(sender.process, Pid::this());
        assert!(sender.is_operator());
        assert!(notice.is_ready);
        assert_eq!(notice.facts["X_QUEUE"], "3");
        assert_eq!(notices.next().unwrap().unwrap().1, Notice::default());
        assert!(notices.next().unwrap().is_none());
    }
}
