//! `mailstead dns`: the records that the domains need, printed or published.

pub mod addresses;
pub mod alias;
pub mod publish;
pub mod record;
pub mod records;
pub mod resolver;
pub mod update;
pub(crate) mod zone;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use accounts::declaration::Proofs;
use address::Domain;
use aws_lc_rs::digest::{SHA256, digest};
use handover::config::{self, Presence};
use serde::Serialize;

use crate::exit::Exit;
use crate::presence::presence;
use crate::settings::Settings;
use crate::signing_keys;
use crate::site::{Purpose, Site};
use crate::volume::Folders;
use addresses::Addresses;
use records::{Facts, Wanted};

/// Whose records, and what to do with them.
#[derive(Debug, clap::Args)]
pub struct Dns {
    /// The folder of a running `mailstead demo`; without it, the records are those of this machine's settings.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Print the lines of that zone only, without comments, as a name server can include them.
    #[arg(long, value_name = "ZONE", conflicts_with_all = ["json", "publish"])]
    zone: Option<Domain>,
    /// Print the records as JSON.
    #[arg(long, conflicts_with = "publish")]
    json: bool,
    /// Put the records into their zones, at the name server of MAIL_DNS_UPDATE_SERVER. Only what differs is changed, and
    /// no other record is touched.
    #[arg(long)]
    publish: bool,
}

/// One record in JSON.
#[derive(Serialize)]
struct Line {
    name: String,
    ttl: u32,
    #[serde(rename = "type")]
    kind: String,
    content: String,
    purpose: record::Purpose,
}

/// Prints or publishes the records.
pub fn run(dns: &Dns) -> ExitCode {
    match act(dns) {
        Ok(text) => {
            // Whoever reads this may be gone already.
            let _ = std::io::stdout().write_all(text.as_bytes());
            Exit::Stopped.into()
        }
        Err((exit, message)) => {
            eprintln!("{message}");
            exit.into()
        }
    }
}

fn act(dns: &Dns) -> Result<String, (Exit, String)> {
    let facts = facts(dns.dir.as_deref())?;
    let wanted = Wanted::of(&facts).map_err(|error| (Exit::Usage, error.to_string()))?;
    if dns.publish {
        return publish::run(&wanted);
    }
    if let Some(zone) = &dns.zone {
        return Ok(wanted.lines_of(zone));
    }
    if dns.json {
        let lines: Vec<Line> = wanted.all().map(line).collect();
        let json = serde_json::to_string_pretty(&lines);
        return json.map(|json| json + "\n").map_err(|error| (Exit::System, error.to_string()));
    }
    Ok(zone::text(&facts, &wanted))
}

fn line(record: &record::Record) -> Line {
    Line {
        name: record.name.to_fqdn(),
        ttl: record::TTL,
        kind: record.kind().to_string(),
        content: record.content.to_string(),
        purpose: record.purpose,
    }
}

/// What the records are made of: in the container by the environment and the volume, whether it runs or not; for a demo
/// by what its process 1 has written.
pub(crate) fn facts(demo: Option<&Path>) -> Result<Facts, (Exit, String)> {
    let presence = match demo {
        Some(folder) => config::load::<Presence>(&folder.join("run/presence.toml"))
            .map_err(|error| (Exit::VolumeFault, format!("is the demo running there? {error}")))?,
        None => of_container()?,
    };
    Ok(facts_of(presence))
}

/// With what only the machine and the volume know.
pub(crate) fn facts_of(presence: Presence) -> Facts {
    let addresses = if presence.is_local { Addresses::of_loopback() } else { Addresses::of_this_machine() };
    // Without a certificate nothing is said about its key.
    let key = handover::certificate::public_key(&presence.certificate).ok();
    let key = key.and_then(|key| digest(&SHA256, &key).as_ref().try_into().ok());
    Facts { presence, addresses, key }
}

fn of_container() -> Result<Presence, (Exit, String)> {
    let settings = Settings::read(std::env::vars_os()).map_err(|faults| (Exit::Usage, faults.to_string()))?;
    let folders = Folders::of_container();
    let site = Site {
        settings,
        folders,
        owners: None,
        purpose: Purpose::Appliance,
        watchword: None,
        proofs: Proofs::default(),
    };
    let mut keys = Vec::new();
    for domain in &site.settings.domains {
        let found = signing_keys::existing(&site.folders.dkim(), domain);
        if found.is_empty() {
            let message = format!("{domain} has no signing keys yet; they are made by the first start");
            return Err((Exit::VolumeFault, message));
        }
        keys.extend(found);
    }
    presence(&site, &keys).map_err(|error| (Exit::VolumeFault, error.to_string()))
}
