//! Shows the demo's addresses to a person and a script once every service answers.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::addresses::DemoAddresses;
use super::demo_users::DemoUser;
use super::{probe, scratch};
use crate::init::event_loop::LoopObserver;
use crate::ports::Listening;
use crate::site::Site;
use crate::volume;

/// The time until a person is shown that something is wrong.
const TIMEOUT: Duration = Duration::from_secs(30);
const BETWEEN_TRIES: Duration = Duration::from_millis(50);

/// Waits for the demo's site to come up.
pub(super) struct StartupMonitor {
    site: Site,
    people: Vec<DemoUser>,
    folder: PathBuf,
    /// Signals the thread that every daemon is ready.
    ready: Option<Sender<()>>,
    /// Set if the demo is over, so that nothing is to be shown any more.
    is_over: Arc<Mutex<bool>>,
}

impl StartupMonitor {
    /// A guide to the site in that folder.
    pub(super) fn new(site: Site, people: Vec<DemoUser>, folder: PathBuf) -> Self {
        Self { site, people, folder, ready: None, is_over: Arc::default() }
    }

    /// Ends the guide: from now on nothing is written into the demo's folder.
    pub(super) fn close(&self) {
        *self.is_over.lock().unwrap_or_else(PoisonError::into_inner) = true;
    }
}

impl LoopObserver for StartupMonitor {
    fn prepared(&mut self, listening: &[Listening]) {
        let contact = DemoAddresses::new(&self.site, &self.people, listening);
        let folder = self.folder.clone();
        let is_over = self.is_over.clone();
        let (ready, is_ready) = channel();
        self.ready = Some(ready);
        // A thread, since the loop must not wait for replies of the daemons that it watches.
        let spawned = thread::Builder::new()
            .name("guide".into())
            .spawn(move || announce(&contact, &folder, &is_ready, &is_over));
        if let Err(error) = spawned {
            tracing::error!(%error, "cannot start the thread that checks the services");
        }
    }

    fn all_ready(&mut self) {
        if let Some(ready) = self.ready.take() {
            let _ = ready.send(());
        }
    }
}

/// Waits until every service answers, then shows the addresses.
fn announce(contact: &DemoAddresses, folder: &Path, is_ready: &Receiver<()>, is_over: &Mutex<bool>) {
    let patience = Instant::now() + TIMEOUT;
    match is_ready.recv_timeout(TIMEOUT) {
        Ok(()) => {}
        Err(RecvTimeoutError::Timeout) => return report_failure("not every daemon is ready", folder),
        // Stopped before it was up.
        Err(RecvTimeoutError::Disconnected) => return,
    }
    while let Err(wrong) = probe::all(contact) {
        if Instant::now() >= patience {
            return report_failure(&wrong, folder);
        }
        thread::sleep(BETWEEN_TRIES);
    }
    let is_over = is_over.lock().unwrap_or_else(PoisonError::into_inner);
    if *is_over {
        return;
    }
    // The passwords are in it.
    if let Err(error) = volume::write(&scratch::contact(folder), &contact.to_json(), 0o600, None) {
        report_failure(&error.to_string(), folder);
    }
    // The reader may be gone already.
    let _ = std::io::stdout().write_all(contact.page(folder).as_bytes());
}

fn report_failure(wrong: &str, folder: &Path) {
    tracing::error!(wrong, "the demo failed");
    eprintln!("mailstead demo: {wrong}; see {}", folder.join("demo.log").display());
}
