//! `mailstead dns`: the records that the domains need, as lines of a zone file.

mod addresses;
pub mod resolver;
pub mod update;
mod zone;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use address::Domain;
use handover::config::{self, DkimKey, Mta};

use crate::exit::Exit;
use crate::settings::Settings;
use crate::signing_keys::{self, PublicKey};
use crate::volume::Folders;
use addresses::Addresses;

/// Whose records to print.
#[derive(Debug, clap::Args)]
pub struct Dns {
    /// The folder of a running `mailstead demo`; without it, the records are those of this machine's settings.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// What the records are made of.
struct Facts {
    hostname: Domain,
    addresses: Addresses,
    /// Each domain with its keys.
    domains: Vec<(Domain, Vec<PublicKey>)>,
}

/// Prints the records.
pub fn run(dns: &Dns) -> ExitCode {
    let facts = match &dns.dir {
        Some(folder) => of_demo(folder),
        None => of_container(),
    };
    match facts {
        Ok(facts) => {
            // Whoever reads this may be gone already.
            let _ = std::io::stdout().write_all(zone::text(&facts).as_bytes());
            Exit::Stopped.into()
        }
        Err((exit, message)) => {
            eprintln!("{message}");
            exit.into()
        }
    }
}

/// What a running demo told its MTA.
fn of_demo(folder: &Path) -> Result<Facts, (Exit, String)> {
    let path = folder.join("run/mta.toml");
    let mta: Mta = config::load(&path)
        .map_err(|error| (Exit::VolumeFault, format!("is the demo running there? {error}")))?;
    facts(mta.hostname, mta.dkim, Addresses::of_loopback())
}

/// What the environment and the volume say, whether it runs or not.
fn of_container() -> Result<Facts, (Exit, String)> {
    let settings = Settings::read(std::env::vars_os()).map_err(|faults| (Exit::Usage, faults.to_string()))?;
    let folder = Folders::of_container().dkim();
    let mut keys = Vec::new();
    for domain in &settings.domains {
        let found = signing_keys::existing(&folder, domain);
        if found.is_empty() {
            let message = format!("{domain} has no signing keys yet; they are made by the first start");
            return Err((Exit::VolumeFault, message));
        }
        keys.extend(found);
    }
    facts(settings.hostname, keys, Addresses::of_this_machine())
}

fn facts(hostname: Domain, keys: Vec<DkimKey>, addresses: Addresses) -> Result<Facts, (Exit, String)> {
    let mut domains: Vec<(Domain, Vec<PublicKey>)> = Vec::new();
    for key in keys {
        let public =
            signing_keys::public_key(&key).map_err(|error| (Exit::VolumeFault, error.to_string()))?;
        match domains.iter_mut().find(|(domain, _)| *domain == key.domain) {
            Some((_, keys)) => keys.push(public),
            None => domains.push((key.domain, vec![public])),
        }
    }
    Ok(Facts { hostname, addresses, domains })
}
