//! Pebble, Let's Encrypt's own small authority, from the Debian package: it rejects some good nonces and reuses
//! authorizations, as it does by default, since clients must handle both.

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
use crate::process::Process;
use crate::test_server::on_loopback;
use crate::wait;

/// A running Pebble; it ends when this value is dropped.
pub struct Pebble {
    process: Process,
    port: u16,
    folder: TempDir,
}

impl Pebble {
    /// Starts an authority that validates challenges on these ports and resolves names at that server.
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
        // Without it, Pebble sleeps for some seconds before it validates.
        command.env("PEBBLE_VA_NOSLEEP", "1");
        let pebble = Self { process: Process::start("pebble", command, root), port, folder };
        wait::until("Pebble answers", || pebble.get("/dir"));
        pebble
    }

    /// The URL of its directory.
    pub fn directory(&self) -> String {
        format!("https://localhost:{}/dir", self.port)
    }

    /// The certificate by which its web server is trusted.
    pub fn trust(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Its output.
    pub fn log(&self) -> String {
        self.process.log()
    }

    fn get(&self, path: &str) -> Option<String> {
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

/// Finds a free port, since Pebble cannot inherit a socket.
fn free_port() -> u16 {
    let listener = on_loopback();
    listener.local_addr().expect("a bound socket has an address").port()
}

/// Writes an authority and a certificate issued by it for `localhost`.
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
