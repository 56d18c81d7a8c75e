//! `mailstead dns`: the records that the domains need, printed or published.

pub mod addresses;
pub mod alias;
pub(crate) mod dmarc_text;
pub mod publish;
pub(crate) mod reconcile;
pub mod record;
pub mod records;
pub mod resolver;
pub(crate) mod spf_text;
pub mod update;
pub(crate) mod zone;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use address::Domain;
use aws_lc_rs::digest::{SHA256, digest};
use handover::config::{self, Presence};
use serde::Serialize;

use crate::exit::Exit;
use crate::presence::presence;
use crate::settings::Settings;
use crate::signing_keys;
use crate::site::Site;
use crate::volume::Folders;
use addresses::Addresses;
use publish::Consent;
use records::{SiteFacts, WantedRecords};

/// The arguments of `mailstead dns`.
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
    /// Publish the records in their zones, at the name server of MAIL_DNS_UPDATE_SERVER. The changes are shown first.
    /// Only records that are this machine's or clearly wrong are changed.
    #[arg(long)]
    publish: bool,
    /// Show the changes of --publish, and change nothing. The exit status is 3 when there are some.
    #[arg(long, requires = "publish", conflicts_with = "yes")]
    dry_run: bool,
    /// Do not ask for a confirmation.
    #[arg(long, requires = "publish")]
    yes: bool,
}

/// A record in JSON.
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
    match execute(dns) {
        Ok((text, exit)) => {
            // The reader may have closed the pipe.
            let _ = std::io::stdout().write_all(text.as_bytes());
            exit.into()
        }
        Err((exit, message)) => {
            eprintln!("mailstead dns: {message}");
            exit.into()
        }
    }
}

fn execute(dns: &Dns) -> Result<(String, Exit), (Exit, String)> {
    let facts = facts(dns.dir.as_deref())?;
    let wanted = WantedRecords::of(&facts).map_err(|error| (Exit::Usage, error.to_string()))?;
    let unsigned = wanted.without_keys();
    if !unsigned.is_empty() && !facts.presence.is_local {
        let missing = format!("there is no signing key for {}: {KEYS_ARE_CREATED}", unsigned.join(", "));
        if dns.publish {
            return Err((Exit::VolumeFault, format!("nothing was published: {missing}")));
        }
        // On standard error: a script that reads the records has no place for it.
        eprintln!("mailstead dns: {missing}");
    }
    if dns.publish {
        let consent = match (dns.dry_run, dns.yes) {
            (true, _) => Consent::DryRun,
            (false, true) => Consent::Given,
            (false, false) => Consent::Ask,
        };
        return publish::run(&facts, &wanted, consent);
    }
    printed(dns, &facts, &wanted).map(|text| (text, Exit::Stopped))
}

fn printed(dns: &Dns, facts: &SiteFacts, wanted: &WantedRecords) -> Result<String, (Exit, String)> {
    if let Some(zone) = &dns.zone {
        return lines_of(facts, wanted, zone);
    }
    if dns.json {
        let lines: Vec<Line> = wanted.all().map(line).collect();
        let json = serde_json::to_string_pretty(&lines);
        return json.map(|json| json + "\n").map_err(|error| (Exit::System, error.to_string()));
    }
    Ok(zone::text(facts, wanted))
}

/// The fix if there is no signing key yet.
pub(crate) const KEYS_ARE_CREATED: &str = "the next start with these settings (docker compose up -d) creates them; then \
                                        publish the records that `mailstead dns` prints";

/// The lines of a zone. A zone without any of our records was most likely mistyped, which is an error: an empty file
/// would remove its records.
fn lines_of(facts: &SiteFacts, wanted: &WantedRecords, zone: &Domain) -> Result<String, (Exit, String)> {
    let lines = wanted.lines_of(zone);
    if !lines.is_empty() {
        return Ok(lines);
    }
    let Presence { hostname, domains, .. } = &facts.presence;
    let domains: Vec<&str> = domains.iter().map(Domain::as_str).collect();
    let message = format!(
        "the zone {zone} has none of the records; this machine is {hostname} and its domains are {}: name a zone that \
         contains one of these",
        domains.join(", ")
    );
    Err((Exit::Usage, message))
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

/// The facts for the records: in the container from the environment and the volume, whether it runs or not; for a demo
/// from what its process 1 has written.
pub(crate) fn facts(demo: Option<&Path>) -> Result<SiteFacts, (Exit, String)> {
    let presence = match demo {
        Some(folder) => config::load::<Presence>(&folder.join("run/presence.toml"))
            .map_err(|error| (Exit::VolumeFault, format!("is the demo running there? {error}")))?,
        None => of_container()?,
    };
    Ok(facts_of(presence))
}

/// Adds the facts that only the machine and the volume know.
pub(crate) fn facts_of(presence: Presence) -> SiteFacts {
    let addresses = if presence.is_local { Addresses::of_loopback() } else { Addresses::of_this_machine() };
    // Without a certificate there is no TLSA record.
    let key = handover::certificate::public_key(&presence.certificate).ok();
    let key = key.and_then(|key| digest(&SHA256, &key).as_ref().try_into().ok());
    SiteFacts { presence, addresses, key }
}

fn of_container() -> Result<Presence, (Exit, String)> {
    let settings = Settings::read(std::env::vars_os()).map_err(|faults| (Exit::Usage, faults.to_string()))?;
    let folders = Folders::of_container();
    let site = Site::unstarted(settings, folders);
    // A domain whose keys are not made yet still has its other records.
    let domains = site.settings.domains.iter();
    let keys: Vec<_> =
        domains.flat_map(|domain| signing_keys::existing(&site.folders.dkim(), domain)).collect();
    presence(&site, &keys).map_err(|error| (Exit::VolumeFault, error.to_string()))
}
