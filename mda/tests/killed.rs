//! A process that is killed at any moment: whatever it acknowledged is there afterwards, under the UID that it
//! reported.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use address::Address;
use mda::mailbox::{Account, Store};
use mda::maildir::{Flags, MailboxName, Uid};

/// Names the folder to work in; without it `work` does nothing.
const FOLDER: &str = "MDA_KILLED_FOLDER";

async fn ann(folder: &Path) -> Account {
    let store = Store::new(folder.join("mail"), folder.join("index"), "host");
    store.account(&Address::parse("ann@example.org").unwrap()).await.unwrap()
}

fn sent() -> MailboxName {
    MailboxName::parse("Sent").unwrap()
}

/// The process that is killed. It appends, delivers, copies and moves messages, and prints what was acknowledged.
#[test]
fn work() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let account = ann(Path::new(&folder)).await;
        let workers: Vec<_> =
            (0..3).map(|worker| tokio::spawn(acknowledge(account.clone(), worker))).collect();
        for worker in workers {
            worker.await.unwrap();
        }
    });
}

async fn acknowledge(account: Account, worker: u32) {
    let report = |mailbox: &str, uid: Uid, text: &str| {
        let mut out = std::io::stdout().lock();
        writeln!(out, "reported {mailbox} {uid} {text}").unwrap();
        out.flush().unwrap();
    };
    let inbox = account.open(&MailboxName::inbox()).await.unwrap();
    let sent = account.open(&sent()).await.unwrap();
    for n in 0.. {
        let text = format!("{}.{worker}.{n}", std::process::id());
        let mut incoming = account.incoming(&MailboxName::inbox()).await.unwrap();
        incoming.write(text.as_bytes()).await.unwrap();
        let uid = incoming.append(Flags::NONE, &[], None).await.unwrap().uid;
        match n % 3 {
            0 => report("INBOX", uid, &text),
            1 => {
                let copied = inbox.copy_to(vec![uid], &sent).await.unwrap();
                report("INBOX", uid, &text);
                report("Sent", copied.uids[0].1, &text);
            }
            _ => {
                let moved = inbox.move_to(vec![uid], &sent).await.unwrap();
                report("Sent", moved.uids[0].1, &text);
            }
        }
        let mut delivered = account.incoming(&MailboxName::inbox()).await.unwrap();
        delivered.write(format!("{text}.delivered").as_bytes()).await.unwrap();
        delivered.deliver("id").await.unwrap();
        // Its UID is looked up afterwards.
        println!("delivered {text}.delivered");
        inbox.claim_recent().await.unwrap();
    }
}

/// The lines that a worker printed until it was killed, which was after this many.
fn killed_after(folder: &Path, lines: usize) -> Vec<String> {
    let mut worker = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "work", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(worker.stdout.take().unwrap()).lines();
    let is_ours = |line: &String| line.contains("reported ") || line.contains("delivered ");
    let mut printed: Vec<String> =
        output.by_ref().map_while(Result::ok).filter(is_ours).take(lines).collect();
    worker.kill().unwrap();
    // Lines printed before it died count too; the last one may be torn.
    let mut rest: Vec<String> = output.map_while(Result::ok).filter(is_ours).collect();
    rest.pop();
    printed.append(&mut rest);
    worker.wait().unwrap();
    printed
}

async fn content(account: &Account, mailbox: &MailboxName) -> BTreeMap<u32, String> {
    let mailbox = account.open(mailbox).await.unwrap();
    let read = |entry| std::io::read_to_string(mailbox.read(entry).unwrap().file).unwrap();
    mailbox.snapshot().entries().map(|entry| (entry.uid.value(), read(entry))).collect()
}

#[tokio::test]
async fn whatever_was_acknowledged_is_there_under_its_uid() {
    let folder = tempfile::tempdir().unwrap();
    let mut printed = Vec::new();
    for lines in [1, 2, 30, 7, 55, 20] {
        printed.extend(killed_after(folder.path(), lines));
        let account = ann(folder.path()).await;
        let (inbox, sent) =
            (content(&account, &MailboxName::inbox()).await, content(&account, &sent()).await);
        for line in &printed {
            let words: Vec<&str> = line.split(' ').collect();
            match words[..] {
                [.., "reported", mailbox, uid, text] => {
                    let messages = if mailbox == "Sent" { &sent } else { &inbox };
                    assert_eq!(messages.get(&uid.parse().unwrap()).map(String::as_str), Some(text), "{line}");
                }
                [.., "delivered", text] => {
                    assert_eq!(inbox.values().filter(|there| *there == text).count(), 1, "{line}");
                }
                _ => panic!("{line}"),
            }
        }
    }
    assert!(printed.len() > 100);
}
