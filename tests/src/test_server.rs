//! The accept loop of the small servers of the tests: each client is served by a thread of its own.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

/// A port that is open until this value is dropped.
pub(crate) struct TestServer {
    address: SocketAddr,
    ending: Arc<AtomicBool>,
}

impl TestServer {
    /// Serves every client of `listener`. An error with one client does not affect the server.
    pub(crate) fn open(
        listener: TcpListener,
        serve: impl Fn(TcpStream) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let address = listener.local_addr().expect("a bound socket has an address");
        let ending = Arc::new(AtomicBool::new(false));
        thread::spawn({
            let (ending, serve) = (Arc::clone(&ending), Arc::new(serve));
            move || {
                for connection in listener.incoming().flatten() {
                    if ending.load(Ordering::SeqCst) {
                        return;
                    }
                    let serve = Arc::clone(&serve);
                    thread::spawn(move || serve(connection));
                }
            }
        });
        Self { address, ending }
    }

    /// The address that it listens on.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::SeqCst);
        // Wakes the thread, so that it checks the flag.
        let _ = TcpStream::connect(self.address);
    }
}

/// A listener on a free port of loopback.
pub(crate) fn on_loopback() -> TcpListener {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free")
}

/// Locks what a server's threads share. One of them may have panicked while it held the lock; the others continue.
pub(crate) fn locked<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}
