//! Alone in its process, whose memory it measures.

use std::net::Ipv4Addr;
use std::sync::Arc;

use accounts::{Accounts, Credentials, Denied, Directory, Password, Secret, User, UserAccount};

/// The resident memory of this process, in MiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux has /proc");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("the file has this line");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).expect("in KiB") / 1024
}

/// Each of these needs 19 MiB on a thread of its own. Three may run at once, and no memory may remain in use, neither
/// with the gate nor in the heaps of the threads.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parallel_logins_release_their_memory() {
    let user = User::new(&"ann@example.org".parse().unwrap()).unwrap();
    let secret = Secret::hash(&Password::new("right").unwrap());
    let directory = Arc::new(Directory::new(&Accounts {
        domains: vec!["example.org".parse().unwrap()],
        users: vec![UserAccount::new(user, secret)],
        aliases: Vec::new(),
    }));
    let before = resident();
    let logins: Vec<_> = (0..40)
        .map(|number| {
            let directory = Arc::clone(&directory);
            let password = Password::new(format!("wrong {number}")).unwrap();
            tokio::spawn(async move {
                // Each with a different name: for a single name, so many would be refused.
                let login = format!("user{number}");
                directory.authenticate(&Credentials { login, password }, Ipv4Addr::LOCALHOST.into()).await
            })
        })
        .collect();
    for login in logins {
        assert_eq!(login.await.unwrap(), Err(Denied::Wrong));
    }
    let left = resident() - before;
    assert!(left < 32, "{left} MiB were not released");
}
