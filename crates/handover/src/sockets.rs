//! Listening sockets, bound by process 1 and handed to the daemons by name.
//!
//! The convention is that of `sd_listen_fds(3)`: descriptors from 3 on, `LISTEN_FDS` counts them, `LISTEN_FDNAMES`
//! names them, `LISTEN_PID` is the process that they are for. So a daemon also runs under systemd, and without any of
//! it when started by hand: then it binds the addresses of its configuration.

use std::env;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixListener;
use std::path::Path;

use listenfd::ListenFd;
use socket2::{Domain, Protocol, Socket, Type};

/// Connections that wait to be accepted; a daemon that restarts leaves them waiting. The kernel caps it at
/// `net.core.somaxconn`.
const BACKLOG: i32 = 1024;

/// The name of the Unix socket on which the MDA accepts mail.
pub const LMTP: &str = "lmtp";

/// The name of the socket for HTTP, port 80.
pub const HTTP: &str = "http";

/// The name of the socket for HTTPS, port 443.
pub const HTTPS: &str = "https";

/// The name of the socket that answers health checks from this machine.
pub const HEALTH: &str = "health";

/// The name of the Unix socket on which a daemon serves its metrics.
pub const METRICS: &str = "metrics";

/// The listening sockets that this process was given.
#[derive(Debug, Default)]
pub struct Sockets {
    tcp: Vec<(String, TcpListener)>,
    unix: Vec<(String, UnixListener)>,
}

/// An error that leaves a daemon without its sockets.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// An inherited descriptor is not of the kind that its name announces.
    #[error("the inherited socket {name:?} cannot be used: {source}")]
    Inherited {
        /// The name in `LISTEN_FDNAMES`.
        name: String,
        /// The operating system's error.
        source: io::Error,
    },
    /// Binding failed.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// The address with its port, or the path.
        address: String,
        /// The operating system's error.
        source: io::Error,
    },
}

impl Sockets {
    /// Adopts the sockets that were handed over, if any. To be called once, before any thread is started, since the
    /// variables are removed from the environment.
    pub fn inherited() -> Result<Self, SocketError> {
        let names = env::var("LISTEN_FDNAMES").unwrap_or_default();
        let mut passed = ListenFd::from_env();
        let mut sockets = Self::default();
        for (index, name) in names.split(':').enumerate().take(passed.len()) {
            let inherited = |source| SocketError::Inherited { name: name.to_owned(), source };
            if matches!(name, LMTP | METRICS) {
                if let Some(listener) = passed.take_unix_listener(index).map_err(inherited)? {
                    sockets.unix.push((name.to_owned(), listener));
                }
            } else if let Some(listener) = passed.take_tcp_listener(index).map_err(inherited)? {
                sockets.tcp.push((name.to_owned(), listener));
            }
        }
        Ok(sockets)
    }

    /// True if no sockets were handed over, so that the daemon runs by hand.
    pub fn is_empty(&self) -> bool {
        self.tcp.is_empty() && self.unix.is_empty()
    }

    /// The TCP listeners of that name; if no sockets at all were handed over, the addresses are bound. All are set to
    /// non-blocking.
    pub fn take_tcp(&mut self, name: &str, own: &[SocketAddr]) -> Result<Vec<TcpListener>, SocketError> {
        let (named, kept) = std::mem::take(&mut self.tcp).into_iter().partition(|(n, _)| n == name);
        self.tcp = kept;
        let named: Vec<(String, TcpListener)> = named;
        if named.is_empty() {
            return own.iter().copied().map(bind_tcp).collect();
        }
        named
            .into_iter()
            .map(|(name, listener)| {
                listener.set_nonblocking(true).map_err(|source| SocketError::Inherited { name, source })?;
                Ok(listener)
            })
            .collect()
    }

    /// The Unix listener of that name; if none was handed over and a path is given, that path is bound.
    pub fn take_unix(&mut self, name: &str, own: Option<&Path>) -> Result<Option<UnixListener>, SocketError> {
        if let Some(index) = self.unix.iter().position(|(n, _)| n == name) {
            let (name, listener) = self.unix.swap_remove(index);
            listener.set_nonblocking(true).map_err(|source| SocketError::Inherited { name, source })?;
            return Ok(Some(listener));
        }
        own.map(bind_unix).transpose()
    }
}

/// Binds and listens, non-blocking. An IPv6 wildcard accepts IPv4 as well.
pub fn bind_tcp(address: SocketAddr) -> Result<TcpListener, SocketError> {
    let bound = || -> io::Result<TcpListener> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        // Connections of an ended process may linger; they must not prevent the start.
        socket.set_reuse_address(true)?;
        if address.is_ipv6() {
            socket.set_only_v6(!address.ip().is_unspecified())?;
        }
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        socket.set_nonblocking(true)?;
        Ok(socket.into())
    };
    bound().map_err(|source| SocketError::Bind { address: address.to_string(), source })
}

/// Binds a path, non-blocking. A socket that a process left there is replaced.
pub fn bind_unix(path: &Path) -> Result<UnixListener, SocketError> {
    let bound = || -> io::Result<UnixListener> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.bind(&socket2::SockAddr::unix(path)?)?;
        socket.listen(BACKLOG)?;
        socket.set_nonblocking(true)?;
        Ok(std::os::fd::OwnedFd::from(socket).into())
    };
    bound().map_err(|source| SocketError::Bind { address: path.display().to_string(), source })
}

/// The environment that the launcher sets for `Sockets::inherited`, besides the process number.
pub fn environment(names: &[&str]) -> [(&'static str, String); 2] {
    [("LISTEN_FDS", names.len().to_string()), ("LISTEN_FDNAMES", names.join(":"))]
}

/// True if the path of a Unix socket fits into the kernel's address.
pub fn fits_unix_address(path: &Path) -> bool {
    socket2::SockAddr::unix(path).is_ok()
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn a_daemon_started_by_hand_binds_its_own_addresses() {
        let mut sockets = Sockets::default();
        assert!(sockets.is_empty());
        let bound = sockets.take_tcp("smtp", &["127.0.0.1:0".parse().unwrap()]).unwrap();
        TcpStream::connect(bound[0].local_addr().unwrap()).unwrap();
        assert!(sockets.take_tcp("submission", &[]).unwrap().is_empty());
    }

    #[test]
    fn an_inherited_socket_is_returned_once_by_name() {
        let listener = bind_tcp("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let mut sockets = Sockets { tcp: vec![("smtp".into(), listener)], unix: Vec::new() };
        assert!(sockets.take_tcp("imap", &[]).unwrap().is_empty());
        assert_eq!(sockets.take_tcp("smtp", &[]).unwrap()[0].local_addr().unwrap(), address);
        assert!(sockets.take_tcp("smtp", &[]).unwrap().is_empty());
    }

    #[test]
    fn a_port_in_use_is_named() {
        let listener = bind_tcp("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let error = bind_tcp(address).unwrap_err();
        assert!(error.to_string().contains(&address.to_string()), "{error}");
    }

    #[test]
    fn a_socket_left_over_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lmtp.sock");
        drop(bind_unix(&path).unwrap());
        let _listener = bind_unix(&path).unwrap();
        UnixStream::connect(&path).unwrap();
        assert!(fits_unix_address(&path));
        assert!(!fits_unix_address(Path::new(&"x".repeat(200))));
    }
}
