//! Pebble, Let's Encrypt's own small authority, from the Debian package: it rejects good nonces and remembers names
//! that it has seen, as it does by default, since clients must live with both.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use serde_json::json;
use tempfile::TempDir;

use crate::certificate;
use crate::patience;
use crate::process::Process;
use crate::reception::on_loopback;

/// A running Pebble; it ends with this value.
pub struct Pebble {
    process: Process,
    port: u16,
    folder: TempDir,
}

impl Pebble {
    /// Starts one that asks for challenges on these ports and for names at that server.
    pub fn start(http: u16, https: u16, dns: SocketAddr) -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let root = folder.path();
        web_certificate(root);
        let (port, management) = (free_port(), free_port());
        let listening = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)).to_string();
        let config = json!({ "pebble": {
            "listenAddress": listening(port),
            "managementListenAddress": listening(management),
            "certificate": root.join("web.pem"),
            "privateKey": root.join("web-key.pem"),
            "httpPort": http,
            "tlsPort": https,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": false,
        }});
        fs::write(root.join("pebble.json"), config.to_string()).expect("the folder can be written");
        let mut command = Command::new("pebble");
        command.arg("-config").arg(root.join("pebble.json")).args(["-dnsserver", &dns.to_string()]);
        // Without it, it waits for some seconds before it looks, for no reason but to annoy.
        command.env("PEBBLE_VA_NOSLEEP", "1");
        let pebble = Self { process: Process::start("pebble", command, root), port, folder };
        patience::until("Pebble answers", || pebble.ask("/dir"));
        pebble
    }

    /// Its directory.
    pub fn directory(&self) -> String {
        format!("https://localhost:{}/dir", self.port)
    }

    /// What its web server is trusted by.
    pub fn trust(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// What it printed.
    pub fn log(&self) -> String {
        self.process.log()
    }

    fn ask(&self, path: &str) -> Option<String> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).ok()?;
        let client = certificate::trusting(&self.trust());
        let name = ServerName::try_from("localhost").ok()?;
        let mut stream = StreamOwned::new(ClientConnection::new(Arc::clone(&client), name).ok()?, stream);
        stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").as_bytes()).ok()?;
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        answer.contains(" 200 ").then_some(answer)
    }
}

/// Pebble cannot be handed a socket, so a port is looked for that is free now.
fn free_port() -> u16 {
    let listener = on_loopback();
    listener.local_addr().expect("a bound socket has an address").port()
}

/// Writes an authority and a certificate of its for `localhost`.
pub(crate) fn web_certificate(folder: &Path) {
    let key = || KeyPair::generate().expect("a key can be made");
    let mut authority = CertificateParams::default();
    authority.distinguished_name.push(DnType::CommonName, "the tests' own");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = key();
    let root = authority.self_signed(&authority_key).expect("a certificate can be made");
    let issuer = Issuer::new(authority, authority_key);
    let own = key();
    let leaf =
        CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()]).expect("they are names");
    let leaf = leaf.signed_by(&own, &issuer).expect("a certificate can be made");
    for (name, text) in
        [("ca.pem", root.pem()), ("web.pem", leaf.pem()), ("web-key.pem", own.serialize_pem())]
    {
        fs::write(folder.join(name), text).expect("the folder can be written");
    }
}
