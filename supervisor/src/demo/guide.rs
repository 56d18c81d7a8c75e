//! Shows a person, and a script, the way: once everything answers, and not before.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::contact::Contact;
use super::people::Person;
use super::{probe, scratch};
use crate::init::watch::LoopObserver;
use crate::ports::Listening;
use crate::site::Site;
use crate::volume;

/// How long a person waits before being told that something is wrong.
const PATIENCE: Duration = Duration::from_secs(30);
const BETWEEN_TRIES: Duration = Duration::from_millis(50);

/// Waits for the demo's site to come up.
pub(super) struct Guide {
    site: Site,
    people: Vec<Person>,
    folder: PathBuf,
    /// Tells the thread that every daemon is ready.
    ready: Option<Sender<()>>,
    /// Whether the demo is over, and there is nobody to be shown a way any more.
    is_over: Arc<Mutex<bool>>,
}

impl Guide {
    /// A guide to the site in that folder.
    pub(super) fn new(site: Site, people: Vec<Person>, folder: PathBuf) -> Self {
        Self { site, people, folder, ready: None, is_over: Arc::default() }
    }

    /// The demo is over: from now on nothing is written into its folder.
    pub(super) fn close(&self) {
        *self.is_over.lock().unwrap_or_else(PoisonError::into_inner) = true;
    }
}

impl LoopObserver for Guide {
    fn prepared(&mut self, listening: &[Listening]) {
        let contact = Contact::new(&self.site, &self.people, listening);
        let folder = self.folder.clone();
        let is_over = self.is_over.clone();
        let (ready, is_ready) = channel();
        self.ready = Some(ready);
        // A thread, for the loop must not wait for answers of those that it watches.
        let spawned = thread::Builder::new()
            .name("guide".into())
            .spawn(move || announce(&contact, &folder, &is_ready, &is_over));
        if let Err(error) = spawned {
            tracing::error!(%error, "nobody looks whether everything answers");
        }
    }

    fn all_ready(&mut self) {
        if let Some(ready) = self.ready.take() {
            let _ = ready.send(());
        }
    }
}

/// Waits until everything answers, then tells how to reach it.
fn announce(contact: &Contact, folder: &Path, is_ready: &Receiver<()>, is_over: &Mutex<bool>) {
    let patience = Instant::now() + PATIENCE;
    match is_ready.recv_timeout(PATIENCE) {
        Ok(()) => {}
        Err(RecvTimeoutError::Timeout) => return complain("not every daemon has come up", folder),
        // Stopped before it was up.
        Err(RecvTimeoutError::Disconnected) => return,
    }
    while let Err(wrong) = probe::all(contact) {
        if Instant::now() >= patience {
            return complain(&wrong, folder);
        }
        thread::sleep(BETWEEN_TRIES);
    }
    let is_over = is_over.lock().unwrap_or_else(PoisonError::into_inner);
    if *is_over {
        return;
    }
    // The passwords are in it.
    if let Err(error) = volume::write(&scratch::contact(folder), &contact.to_json(), 0o600, None) {
        complain(&error.to_string(), folder);
    }
    // Whoever reads this may be gone already.
    let _ = std::io::stdout().write_all(contact.page(folder).as_bytes());
}

fn complain(wrong: &str, folder: &Path) {
    tracing::error!(wrong, "the demo is not what it should be");
    eprintln!("mailstead demo: {wrong}; see {}", folder.join("demo.log").display());
}
