//! `settings.toml` on the volume: the settings of the last start or reload, for a plan to compare with.
//!
//! A plan is usually made in a container of its own, where the running one's environment and files cannot be seen; both
//! share the volume. Secrets are stored there as hashes, like a user's password.

use std::collections::BTreeMap;
use std::fmt;
use std::io;

use accounts::declaration::VerificationCache;
use accounts::{Password, Secret};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use handover::Confidential;
use serde::{Deserialize, Serialize};

use crate::read_limited;
use crate::settings::Settings;
use crate::settings::lines::{SettingLine, lines};
use crate::site::Site;
use crate::volume;

const ABOUT: &str = "# Written by process 1: the settings in force, for `mailstead plan` to compare with.\n";

/// The settings that were applied last.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppliedSettings {
    /// The settings that can be shown, by variable.
    settings: BTreeMap<String, String>,
    /// The secret ones, hashed, by variable.
    #[serde(default)]
    secrets: BTreeMap<String, String>,
}

/// One setting that would change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    variable: &'static str,
    before: String,
    after: String,
}

/// An error of reading or writing the file.
#[derive(Debug, thiserror::Error)]
pub enum AppliedError {
    /// It could not be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: String,
        /// The operating system's error.
        source: io::Error,
    },
    /// It cannot be expressed in TOML.
    #[error("cannot write the settings as TOML: {0}")]
    Toml(#[from] toml::ser::Error),
    /// It could not be written.
    #[error(transparent)]
    Write(#[from] durable::Error),
}

impl AppliedSettings {
    /// The applied form of settings. A hash of the same secret is kept, so that the same settings give the same file.
    fn of(settings: &Settings, before: Option<&Self>, proofs: &VerificationCache) -> Self {
        let mut applied = Self::default();
        for SettingLine { variable, shown, secret: hidden } in lines(settings) {
            applied.settings.insert(variable.name.to_owned(), shown);
            let Some(password) = hidden.as_ref().and_then(as_password) else { continue };
            let kept = before
                .and_then(|before| before.secret(variable.name))
                .filter(|hash| proofs.verifies(variable.name, hash, &password));
            let hash = kept.unwrap_or_else(|| proofs.hash(variable.name, &password));
            applied.secrets.insert(variable.name.to_owned(), hash.as_str().to_owned());
        }
        applied
    }

    /// The settings that were applied last; `None` if there are none, or if the file is malformed: it only informs the
    /// operator, and nothing else relies on it.
    pub fn load(site: &Site) -> Result<Option<Self>, AppliedError> {
        let path = site.folders.applied();
        match read_limited::read_own_text(&path) {
            Ok(text) => Ok(toml::from_str(&text).ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(AppliedError::Read { path: path.display().to_string(), source }),
        }
    }

    /// Writes the settings in force, unless they are in the file already.
    pub fn write(site: &Site) -> Result<(), AppliedError> {
        let before = Self::load(site)?;
        let applied = Self::of(&site.settings, before.as_ref(), &site.proofs);
        if before.as_ref() == Some(&applied) {
            return Ok(());
        }
        let text = format!("{ABOUT}{}", toml::to_string(&applied)?);
        Ok(volume::write(&site.folders.applied(), text.as_bytes(), 0o600, None)?)
    }

    /// The differences to other settings. A variable that an older version did not have is not compared.
    pub fn differences(&self, settings: &Settings) -> Vec<Difference> {
        let differs = |line: SettingLine| {
            let name = line.variable.name;
            let before = self.settings.get(name)?;
            let password = line.secret.as_ref().and_then(as_password);
            let is_same_secret = match (self.secret(name), &password) {
                (Some(hash), Some(password)) => hash.verifies(password),
                (None, None) => true,
                _ => false,
            };
            if *before != line.shown {
                return Some(Difference { variable: name, before: before.clone(), after: line.shown });
            }
            let after = "another secret".to_owned();
            (!is_same_secret).then(|| Difference { variable: name, before: before.clone(), after })
        };
        lines(settings).into_iter().filter_map(differs).collect()
    }

    fn secret(&self, variable: &str) -> Option<Secret> {
        self.secrets.get(variable).and_then(|text| Secret::parse(text).ok())
    }
}

/// A secret of any length in a form that can be hashed like a password.
fn as_password(secret: &Confidential) -> Option<Password> {
    Password::new(STANDARD.encode(digest(&SHA256, secret.reveal().as_bytes()))).ok()
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} becomes {}", self.variable, self.before, self.after)
    }
}
