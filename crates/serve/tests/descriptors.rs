//! Alone in its process, since it uses up all of the process's descriptors.

use std::fs::File;
use std::io::Read;
use std::net::{TcpListener, TcpStream};

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serve::{Connection, Drain, Limits, Service};

#[test]
fn a_daemon_that_ran_out_of_descriptors_accepts_again_once_there_are_some() {
    let runtime = serve::runtime("test").unwrap();
    let drain = Drain::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // In the backlog before the daemon accepts.
    let mut peer = TcpStream::connect(address).unwrap();

    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, 64, hard).unwrap();
    let mut hoard: Vec<File> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();

    runtime.block_on(async {
        Service::new("test", Limits::new(0, 0), b"")
            .start(vec![listener], &drain, |mut connection: Connection| async move {
                connection.stream.send(b"220 ready\r\n").await.unwrap();
            })
            .unwrap();
        // Each of these tasks runs after the loop has been polled, and it cannot accept in any of them.
        for _ in 0..100 {
            tokio::spawn(tokio::task::yield_now()).await.unwrap();
        }
    });
    hoard.clear();

    let mut greeting = String::new();
    peer.read_to_string(&mut greeting).unwrap();
    assert_eq!(greeting, "220 ready\r\n");
}
