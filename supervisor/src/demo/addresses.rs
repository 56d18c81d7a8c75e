//! The addresses of the demo: `demo.json` for scripts, and a page for a person.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::demo_users::DemoUser;
use crate::certificate;
use crate::ports::Listening;
use crate::site::Site;

/// `demo.json`.
#[derive(Debug, Clone, Serialize)]
pub(super) struct DemoAddresses {
    pub(super) host: &'static str,
    pub(super) hostname: String,
    pub(super) domain: String,
    pub(super) ports: Ports,
    pub(super) users: Vec<User>,
    pub(super) ca_file: PathBuf,
    pub(super) mail_dir: PathBuf,
}

/// The ports of the services.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Ports {
    pub(super) smtp: u16,
    pub(super) submission: u16,
    pub(super) submissions: u16,
    pub(super) imap: u16,
    pub(super) imaps: u16,
    /// A path.
    pub(super) lmtp: PathBuf,
    pub(super) http: u16,
    pub(super) https: u16,
    pub(super) health: u16,
}

/// A user who can log in.
#[derive(Debug, Clone, Serialize)]
pub(super) struct User {
    pub(super) address: String,
    pub(super) password: String,
}

impl DemoAddresses {
    /// The contact data of a site and its sockets.
    pub(super) fn new(site: &Site, people: &[DemoUser], listening: &[Listening]) -> Self {
        let ports: BTreeMap<&str, u16> = listening
            .iter()
            .filter_map(|listening| Some((listening.socket.name, listening.address?.port())))
            .collect();
        let port = |name| ports.get(name).copied().unwrap_or_default();
        let domain = site.settings.home().to_string();
        Self {
            host: "127.0.0.1",
            hostname: site.settings.hostname.to_string(),
            ports: Ports {
                smtp: port("smtp"),
                submission: port("submission"),
                submissions: port("submissions"),
                imap: port("imap"),
                imaps: port("imaps"),
                lmtp: site.folders.lmtp_socket(),
                http: port("http"),
                https: port("https"),
                health: port("health"),
            },
            users: people
                .iter()
                .map(|user| User {
                    address: format!("{}@{domain}", user.name),
                    password: user.password.clone(),
                })
                .collect(),
            domain,
            ca_file: certificate::authority(&site.folders.tls()),
            mail_dir: site.folders.mail(),
        }
    }

    /// The file's content.
    pub(super) fn to_json(&self) -> Vec<u8> {
        let mut json = serde_json::to_vec_pretty(self).expect("a contact has string keys only");
        json.push(b'\n');
        json
    }

    /// The page for a person. Both commands can be pasted unchanged.
    pub(super) fn page(&self, folder: &Path) -> String {
        let Self { host, domain, ports, users, ca_file, mail_dir, .. } = self;
        let people: String =
            users.iter().map(|user| format!("\n    {}  password {}", user.address, user.password)).collect();
        let (sender, receiver) = match users.as_slice() {
            [sender, receiver, ..] => (sender, receiver),
            _ => return String::new(),
        };
        let ca = quoted(ca_file);
        format!(
            "\
Mailstead is running as {hostname} for {domain}.

A mail client connects to {host}, with the address as the user name:
    IMAP with TLS {imaps}, with STARTTLS {imap}
    SMTP with TLS {submissions}, with STARTTLS {submission}, from other hosts {smtp}{people}
  It will ask about the certificate, which is self-made; {ca_file} is the authority to trust.

Send a first mail from {from} to {to}:
    printf 'From: {from}\\r\\nTo: {to}\\r\\nSubject: Hello\\r\\n\\r\\nIt works.\\r\\n' | \\
      curl --silent --show-error --cacert {ca} --url smtps://{host}:{submissions} --user {from}:{from_password} \\
      --mail-from {from} --mail-rcpt {to} --upload-file -

Read it:
    curl --silent --show-error --cacert {ca} --user {to}:{to_password} 'imaps://{host}:{imaps}/INBOX;MAILINDEX=1'

The DNS records, with the keys that check its signatures:
    {program} dns --dir {folder}

Where to find everything:
    {mail}  mail, a Maildir for each user
    {demo_json}  all of this for scripts
    {log}  the log
    http://{host}:{health}/health/ready  its health

Ctrl-C stops it.
",
            hostname = self.hostname,
            smtp = ports.smtp,
            submission = ports.submission,
            submissions = ports.submissions,
            imap = ports.imap,
            imaps = ports.imaps,
            health = ports.health,
            ca_file = ca_file.display(),
            from = sender.address,
            from_password = sender.password,
            to = receiver.address,
            to_password = receiver.password,
            program = program(),
            folder = quoted(folder),
            mail = mail_dir.display(),
            demo_json = folder.join("demo.json").display(),
            log = folder.join("demo.log").display(),
        )
    }
}

/// The command that runs this program again; it need not be where the shell looks for programs.
fn program() -> String {
    std::env::current_exe().map_or_else(|_| "mailstead".to_owned(), |path| quoted(&path))
}

/// A path quoted for a shell.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '_');
    if text.chars().all(is_plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contact() -> DemoAddresses {
        let user = |name: &str| User { address: format!("{name}@demo.test"), password: "secret".into() };
        DemoAddresses {
            host: "127.0.0.1",
            hostname: "mail.demo.test".into(),
            domain: "demo.test".into(),
            ports: Ports { smtp: 2525, lmtp: "/d/run/lmtp.sock".into(), ..Ports::default() },
            users: vec![user("ann"), user("bob")],
            ca_file: "/d e/tls/ca.pem".into(),
            mail_dir: "/d e/mail".into(),
        }
    }

    #[test]
    fn the_file_for_scripts_has_exactly_the_promised_keys() {
        let json: serde_json::Value = serde_json::from_slice(&contact().to_json()).unwrap();
        let keys = |value: &serde_json::Value| -> Vec<String> {
            value.as_object().unwrap().keys().cloned().collect()
        };
        assert_eq!(keys(&json), ["ca_file", "domain", "host", "hostname", "mail_dir", "ports", "users"]);
        let ports = ["health", "http", "https", "imap", "imaps", "lmtp", "smtp", "submission", "submissions"];
        assert_eq!(keys(&json["ports"]), ports);
        assert_eq!(keys(&json["users"][0]), ["address", "password"]);
        assert_eq!(json["ports"]["smtp"], 2525);
        assert_eq!(json["ports"]["lmtp"], "/d/run/lmtp.sock");
    }

    #[test]
    fn the_commands_survive_a_path_with_a_space() {
        let page = contact().page(Path::new("/d e"));
        assert!(page.contains("--cacert '/d e/tls/ca.pem' "), "{page}");
        assert!(page.contains(" dns --dir '/d e'"), "{page}");
    }
}
