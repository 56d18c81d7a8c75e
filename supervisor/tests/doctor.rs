//! `mailstead dns --publish` and `mailstead check` as an operator runs them, against a signed zone in a real primary
//! (Knot) and a real resolver that validates (Unbound): all green, then faults, each planted, found, named and mended.
//!
//! The test runs itself once more in a network namespace of its own, where the machine has the addresses that the
//! records are about.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::thread;

use address::Domain;
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use handover::Confidential;
use handover::config::{DnsUpdate, Presence, PublicSignature, TsigAlgorithm, TsigKey};
use hickory_proto::rr::rdata::{A, CNAME, MX, TXT};
use hickory_proto::rr::{Name, RData, RecordType};
use serde_json::Value;
use supervisor::dns::update::{Change, Updater};
use tests::knot::{KEY_NAME, Knot, SECRET, Signing};
use tests::unbound::Unbound;

const INSIDE: &str = "MAILSTEAD_TEST_INSIDE";
const V4: &str = "198.51.100.10";
const V6: &str = "2001:db8:51::10";
const REVERSE4: &str = "100.51.198.in-addr.arpa";
const REVERSE6: &str = "1.5.0.0.8.b.d.0.1.0.0.2.ip6.arpa";

#[test]
fn the_printed_records_make_all_green_and_each_planted_fault_is_named() {
    if std::env::var_os(INSIDE).is_some() {
        return examine();
    }
    let script = format!(
        "ip link set lo up && ip address add {V4}/32 dev lo && ip address add {V6}/128 dev lo nodad && exec \"$@\""
    );
    let mut command = Command::new("unshare");
    if !nix::unistd::geteuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    let output = command
        .args(["--net", "--", "sh", "-c", &script, "sh"])
        .arg(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "the_printed_records_make_all_green_and_each_planted_fault_is_named",
            "--nocapture",
        ])
        .env(INSIDE, "1")
        .output()
        .expect("unshare (of util-linux) is installed");
    let said = String::from_utf8_lossy(&output.stdout);
    let wrong = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}\n{wrong}");
}

fn domain(text: &str) -> Domain {
    Domain::parse(text).expect("a domain")
}

fn name(text: &str) -> Name {
    Name::from_ascii(text).expect("a name")
}

fn text(text: &str) -> RData {
    RData::TXT(TXT::new(vec![text.into()]))
}

/// A port on which every visitor is told the same.
fn door(said: &'static str) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let address = listener.local_addr().expect("a bound socket has an address");
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.write_all(said.as_bytes());
            let _ = stream.shutdown(std::net::Shutdown::Write);
            let _ = stream.read_to_end(&mut Vec::new());
        }
    });
    address
}

/// A web server at the machine's address with a certificate that is not for the domain's own name.
fn web_server(folder: &Path) {
    let shown = tests::certificate::serving(&folder.join("certificate.pem"), &folder.join("key.pem"));
    let listener = TcpListener::bind((V4, 443)).expect("the namespace has no other");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let Ok(connection) = rustls::ServerConnection::new(shown.clone()) else { continue };
            let mut stream = rustls::StreamOwned::new(connection, stream);
            // A visitor that does not trust the certificate leaves here.
            if stream.read(&mut [0; 4096]).is_ok() {
                let _ = stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
            }
        }
    });
}

struct Site {
    folder: tempfile::TempDir,
    knot: Knot,
    _unbound: Unbound,
    updater: Updater,
    runtime: tokio::runtime::Runtime,
}

fn site() -> Site {
    let pointers = |host: &str| format!("{host} PTR mail.example.org.\n");
    let reverse6 = pointers("0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0");
    let others = "2.0.0.127.dnsbl A 127.0.0.2\n_spf TXT \"v=spf1 ip4:192.0.2.1 -all\"\n\
                  _wrong TXT \"v=spf1 ip4:192.0.2 -all\"\n_loop TXT \"v=spf1 include:_loop.example.com -all\"\n";
    let knot = Knot::start(
        &[
            ("example.org", "@ TXT \"owner=somebody\"\n"),
            ("example.com", others),
            (REVERSE4, &pointers("10")),
            (REVERSE6, &reverse6),
        ],
        Signing::On,
    );
    let unbound = Unbound::start(&knot, &["example.org"], &["example.com", REVERSE4, REVERSE6]);
    let key = TsigKey {
        name: domain(KEY_NAME),
        algorithm: TsigAlgorithm::HmacSha256,
        secret: Confidential::new(SECRET),
    };
    let updater = Updater::new(&DnsUpdate { server: knot.address(), key: Some(key) }).expect("a key");
    let folder = tempfile::tempdir().expect("a folder can be made");
    write_site(folder.path(), &unbound);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    Site { folder, knot, _unbound: unbound, updater, runtime }
}

/// What process 1 would have written.
fn write_site(folder: &Path, unbound: &Unbound) {
    fs::create_dir(folder.join("run")).expect("a folder can be made");
    let names = ["mail", "autoconfig", "autodiscover"].map(|label| format!("{label}.example.org"));
    let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
    let certificate = folder.join("certificate.pem");
    fs::write(&certificate, made.cert.pem()).expect("it can be written");
    fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).expect("it can be written");
    let signing = aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).expect("a key");
    let public: PublicKeyX509Der<'_> =
        aws_lc_rs::signature::KeyPair::public_key(&signing).as_der().expect("a public key");
    let presence = Presence {
        hostname: domain("mail.example.org"),
        domains: vec![domain("example.org")],
        serves_web: true,
        // Whoever serves the policy is not here; the test network has it.
        is_attested: false,
        is_local: false,
        is_relayed: false,
        certificate: certificate.clone(),
        authorities: Some(certificate),
        volume: folder.to_owned(),
        acme_directory: None,
        dns_servers: vec![unbound.address()],
        blocklists: vec![domain("dnsbl.example.com")],
        smtp_host: Some(door("220 mx.example.com ESMTP\r\n").to_string()),
        signatures: vec![PublicSignature {
            domain: domain("example.org"),
            selector: "mailstead-rsa".into(),
            kind: "rsa".into(),
            base64: base64::Engine::encode(&base64::engine::general_purpose::STANDARD, public.as_ref()),
        }],
    };
    let health = door(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"status\":\"ready\",\"reasons\":[]}",
    );
    let steward = format!(
        "health = \"{health}\"\nstatus = \"/nowhere\"\nvolume = \"/nowhere\"\n[tls]\ncertificate = \"/nowhere\"\n\
         key = \"/nowhere\"\n[web]\nhostname = \"mail.example.org\"\ndomains = []\n"
    );
    let write =
        |file: &str, text: String| fs::write(folder.join("run").join(file), text).expect("it can be written");
    write("presence.toml", toml::to_string(&presence).expect("TOML"));
    write("steward.toml", steward);
}

impl Site {
    fn mailstead(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let key = format!("{KEY_NAME}:hmac-sha256:{SECRET}");
        let output = Command::new(env!("CARGO_BIN_EXE_mailstead"))
            .args(arguments)
            .arg("--dir")
            .arg(self.folder.path())
            .env("MAIL_DOMAIN", "example.org")
            .env("MAIL_DNS_UPDATE_SERVER", self.knot.address().to_string())
            .env("MAIL_DNS_UPDATE_KEY", key)
            .output()
            .expect("the program runs");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.code(), said + &String::from_utf8_lossy(&output.stderr))
    }

    fn check(&self) -> (Option<i32>, Vec<String>, String) {
        let (status, text) = self.mailstead(&["check", "--json"]);
        let json: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        let findings = json["findings"].as_array().expect("a list");
        let ids = findings.iter().map(|finding| finding["id"].as_str().expect("a name").to_owned());
        // No authority is asked for certificates here, so there is no clock to compare with.
        (status, ids.filter(|id| id != "not-checked").collect(), text)
    }

    /// Looks until it is so: resolvers keep what they know for a second.
    fn check_until(&self, what: &str, is_so: impl Fn(&[String]) -> bool) -> Option<i32> {
        tests::patience::until(what, || {
            let (status, found, _) = self.check();
            is_so(&found).then_some(status)
        })
    }

    fn apply(&self, zone: &str, changes: Vec<Change>) {
        self.runtime.block_on(self.updater.apply(&name(zone), changes)).expect("an update");
    }
}

fn examine() {
    let site = site();
    web_server(site.folder.path());
    let (status, bare, text) = site.check();
    assert_eq!(status, Some(2), "{text}");
    for id in ["address-missing", "mx-missing", "spf-missing", "dkim-missing", "dmarc-missing"] {
        assert!(bare.iter().any(|found| found == id), "{id} was not found in\n{text}");
    }

    let (status, said) = site.mailstead(&["dns", "--publish"]);
    assert_eq!(status, Some(0), "{said}");
    // Not even a notice but that of the clock: the resolver validates, the zone is signed, the certificate's key is in it.
    assert_eq!(site.check_until("nothing is found", <[String]>::is_empty), Some(0));
    let (status, said) = site.mailstead(&["check"]);
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("All is green."), "{said}");

    // Each is found under its name, and gone once the records are published anew.
    for (zone, plant, id) in faults() {
        site.apply(zone, plant);
        let status =
            site.check_until(&format!("{id} is found"), |found| found.iter().any(|found| found == id));
        assert!(status == Some(1) || status == Some(2), "{id} counts for nothing");
        let (status, said) = site.mailstead(&["dns", "--publish"]);
        assert_eq!(status, Some(0), "{said}");
        // What no publishing of ours mends.
        site.apply(
            "example.com.",
            vec![Change::RemoveSet(name("10.100.51.198.dnsbl.example.com."), RecordType::A)],
        );
        site.apply("example.org.", vec![Change::RemoveSet(name("example.org."), RecordType::A)]);
        let pointer = RData::PTR(hickory_proto::rr::rdata::PTR(name("mail.example.org.")));
        site.apply(
            &format!("{REVERSE4}."),
            Change::replace(&name(&format!("10.{REVERSE4}.")), 1, vec![pointer]),
        );
        assert_eq!(site.check_until(&format!("{id} is mended"), <[String]>::is_empty), Some(0));
    }
    assert!(site.knot.dig(&["example.org", "TXT"]).contains("owner=somebody"));
}

/// A zone, what goes wrong in it, and the name of that.
fn faults() -> Vec<(&'static str, Vec<Change>, &'static str)> {
    let zone = "example.org.";
    let (top, host) = (name(zone), name("mail.example.org."));
    let other = RData::A(A(Ipv4Addr::new(198, 51, 100, 99)));
    let mx = |host: &str| vec![RData::MX(MX::new(10, name(host)))];
    let key = name("mailstead-rsa._domainkey.example.org.");
    let spf = |record: &str| {
        vec![Change::Remove(top.clone(), text("v=spf1 mx -all")), Change::add(&top, 1, text(record))]
    };
    let tlsa = name("_25._tcp.mail.example.org.");
    let wrong_key =
        RData::TLSA(hickory_proto::rr::rdata::TLSA::new(3.into(), 1.into(), 1.into(), vec![1; 32]));
    let alias = vec![
        Change::RemoveName(host.clone()),
        Change::add(&host, 1, RData::CNAME(CNAME(name("vps.example.org.")))),
        Change::add(&name("vps.example.org."), 1, RData::A(A(V4.parse().expect("an address")))),
    ];
    vec![
        (zone, Change::replace(&host, 1, vec![other]), "address-different"),
        (zone, vec![Change::RemoveSet(host.clone(), RecordType::AAAA)], "ipv6-unpublished"),
        (zone, Change::replace(&top, 1, mx("mx.example.net.")), "mx-elsewhere"),
        (zone, alias, "mx-alias"),
        (zone, vec![Change::Remove(top.clone(), text("v=spf1 mx -all"))], "spf-missing"),
        (zone, vec![Change::add(&top, 1, text("v=spf1 a -all"))], "spf-several"),
        (zone, spf("v=spf1 include:_spf.example.com -all"), "spf-different"),
        (zone, spf("v=spf1 redirect=_none.example.com"), "spf-include"),
        (zone, spf("v=spf1 include:_wrong.example.com -all"), "spf-syntax"),
        (zone, spf("v=spf1 include:_loop.example.com mx -all"), "spf-lookups"),
        (zone, Change::replace(&key, 1, vec![text("v=DKIM1; k=rsa; p=AAAA")]), "dkim-different"),
        (zone, vec![Change::RemoveSet(key, RecordType::TXT)], "dkim-missing"),
        (
            zone,
            vec![Change::add(&top, 1, RData::A(A(V4.parse().expect("an address"))))],
            "domain-certificate",
        ),
        (zone, vec![Change::add(&name("_dmarc.example.org."), 1, text("v=DMARC1; p=none"))], "dmarc-several"),
        (zone, Change::replace(&tlsa, 1, vec![wrong_key]), "tlsa-different"),
        (
            "100.51.198.in-addr.arpa.",
            vec![Change::RemoveName(name("10.100.51.198.in-addr.arpa."))],
            "reverse-missing",
        ),
        (
            "example.com.",
            vec![Change::add(
                &name("10.100.51.198.dnsbl.example.com."),
                1,
                RData::A(A(Ipv4Addr::new(127, 0, 0, 4))),
            )],
            "blocklisted",
        ),
    ]
}
