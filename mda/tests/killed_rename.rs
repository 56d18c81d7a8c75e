//! A process that is killed while it renames a tree of mailboxes: all of them have their old names afterwards, or all
//! their new ones, with their messages.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use address::Address;
use mda::mailbox::{Account, Store};
use mda::maildir::{Flags, MailboxName};

/// Names the folder to work in; without it `work` does nothing.
const FOLDER: &str = "MDA_KILLED_RENAME_FOLDER";
const CHILDREN: usize = 40;

async fn ann(folder: &Path) -> Account {
    let store = Store::new(folder.join("mail"), folder.join("index"), "host");
    store.account(&Address::parse("ann@example.org").unwrap()).await.unwrap()
}

fn name(text: &str) -> MailboxName {
    MailboxName::parse(text).unwrap()
}

/// The process that is killed: it renames the tree to and fro, and prints a line before each time.
#[test]
fn work() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let account = ann(Path::new(&folder)).await;
        loop {
            let is_old = account.exists(&name("Old")).await.unwrap();
            let (from, to) = if is_old { ("Old", "New") } else { ("New", "Old") };
            let mut out = std::io::stdout();
            writeln!(out, "renaming").unwrap();
            out.flush().unwrap();
            account.rename(&name(from), &name(to)).await.unwrap();
        }
    });
}

/// Kills the process when it has begun this many renames.
fn killed_at(folder: &Path, times: usize) {
    let mut worker = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "work", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(worker.stdout.take().unwrap()).lines();
    let begun = output.map_while(Result::ok).filter(|line| line.contains("renaming")).take(times).count();
    worker.kill().unwrap();
    worker.wait().unwrap();
    assert_eq!(begun, times);
}

#[tokio::test]
async fn a_tree_that_is_renamed_when_the_process_is_killed_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let account = ann(folder.path()).await;
    for child in 0..CHILDREN {
        let child = name(&format!("Old/{child}"));
        account.create(&child).await.unwrap();
        let mut incoming = account.incoming(&child).await.unwrap();
        incoming.write(child.as_str().as_bytes()).await.unwrap();
        incoming.append(Flags::NONE, &[], None).await.unwrap();
    }
    drop(account);
    for times in [1, 2, 3, 1, 5, 2, 1, 4] {
        killed_at(folder.path(), times);
        let account = ann(folder.path()).await;
        let listed = account.list().await.unwrap();
        let count = |top: &str| listed.iter().filter(|listed| listed.name.is_below(&name(top))).count();
        let counts = [count("Old"), count("New")];
        assert!([[CHILDREN, 0], [0, CHILDREN]].contains(&counts), "{counts:?}");
        let top = if counts[0] > 0 { "Old" } else { "New" };
        for child in 0..CHILDREN {
            let mailbox = account.open(&name(&format!("{top}/{child}"))).await.unwrap();
            assert_eq!(mailbox.snapshot().len(), 1);
        }
    }
}
