//! Shows a person, and a script, the way: once everything answers, and not before.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::contact::Contact;
use super::people::Person;
use super::{probe, scratch};
use crate::init::Host;
use crate::init::prepare::refresh;
use crate::init::watch::Attendant;
use crate::ports::Listening;
use crate::site::Site;
use crate::volume;

/// After the daemons have said that they are ready, this long is tried before a person is told that they are not.
const PATIENCE: Duration = Duration::from_secs(30);
const BETWEEN_TRIES: Duration = Duration::from_millis(50);

/// Who runs the demo's site.
pub(super) struct Guide<'s> {
    site: &'s Site,
    people: Vec<Person>,
    folder: PathBuf,
    contact: Option<Contact>,
}

impl<'s> Guide<'s> {
    /// A guide to the site in that folder.
    pub(super) fn new(site: &'s Site, people: Vec<Person>, folder: PathBuf) -> Self {
        Self { site, people, folder, contact: None }
    }
}

impl Host for Guide<'_> {
    fn prepared(&mut self, listening: &[Listening]) {
        self.contact = Some(Contact::new(self.site, &self.people, listening));
    }
}

impl Attendant for Guide<'_> {
    fn reload(&mut self) -> Option<Vec<String>> {
        refresh(self.site).map_err(|error| tracing::error!(%error, "cannot reload")).ok()
    }

    fn all_ready(&mut self) {
        let Some(contact) = self.contact.take() else { return };
        let folder = self.folder.clone();
        // A thread, for the loop must not wait for answers of those that it watches.
        let spawned = thread::Builder::new().name("guide".into()).spawn(move || announce(&contact, &folder));
        if let Err(error) = spawned {
            tracing::error!(%error, "cannot look whether everything answers");
        }
    }
}

fn announce(contact: &Contact, folder: &Path) {
    let patience = Instant::now() + PATIENCE;
    while let Err(wrong) = probe::all(contact) {
        if Instant::now() >= patience {
            tracing::error!(wrong, "not everything answers");
            eprintln!("mailstead demo: {wrong}; see {}", folder.join("demo.log").display());
            return;
        }
        thread::sleep(BETWEEN_TRIES);
    }
    // The passwords are in it.
    if let Err(error) = volume::write(&scratch::contact(folder), &contact.to_json(), 0o600, None) {
        eprintln!("mailstead demo: {error}");
    }
    // Whoever reads this may be gone already.
    let _ = std::io::stdout().write_all(contact.page(folder).as_bytes());
}
