//! `mailstead dns --publish` and `mailstead check` as an operator runs them, against a signed zone in a real primary
//! (Knot) and a real validating resolver (Unbound): first without faults, then with planted faults that are found,
//! named and fixed.
//!
//! The test runs itself again in its own network namespace, where the machine has the addresses of the records.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
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
use tests::unbound::{Flaw, Unbound};

const INSIDE: &str = "MAILSTEAD_TEST_INSIDE";
const V4: &str = "198.51.100.10";
const V6: &str = "2001:db8:51::10";
const REVERSE4: &str = "100.51.198.in-addr.arpa";
const SIGNED: &[&str] = &["example.org"];
const UNSIGNED: &[&str] = &["example.com", REVERSE4, REVERSE6];
const REVERSE6: &str = "1.5.0.0.8.b.d.0.1.0.0.2.ip6.arpa";

#[test]
fn the_printed_records_are_all_green_and_each_planted_fault_is_found() {
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
        .args(["--exact", "the_printed_records_are_all_green_and_each_planted_fault_is_found", "--nocapture"])
        .env(INSIDE, "1")
        .output()
        .expect("unshare (of util-linux) is installed");
    let printed = String::from_utf8_lossy(&output.stdout);
    let wrong = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && printed.contains("1 passed"), "{printed}\n{wrong}");
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

/// A port that greets every client with the same text.
fn greeting_server(greeting: &'static str) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let address = listener.local_addr().expect("a bound socket has an address");
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.write_all(greeting.as_bytes());
            let _ = stream.shutdown(std::net::Shutdown::Write);
            let _ = stream.read_to_end(&mut Vec::new());
        }
    });
    address
}

/// A port that is closed from now on.
static CLOSED: AtomicU16 = AtomicU16::new(0);
/// Set if a proxy with another name answers on port 25.
static IS_PROXIED: AtomicBool = AtomicBool::new(false);

/// The services of the machine on all of its addresses, as far as they are visible before a login: greetings, STARTTLS,
/// the certificate, and the MTA-STS policy.
fn services(folder: &Path) {
    let shown = tests::certificate::serving(&folder.join("certificate.pem"), &folder.join("key.pem"));
    let smtp =
        &["220 mail.example.org ESMTP\r\n", "250-mail.example.org\r\n250 STARTTLS\r\n", "220 ready\r\n"][..];
    let proxy = &["220 proxy.example.com ESMTP\r\n"][..];
    let imap = &["* OK ready\r\n", "a OK begin\r\n"][..];
    for (port, greetings) in
        [(25, smtp), (587, smtp), (143, imap), (465, &[]), (993, &[]), (443, &[]), (80, &[])]
    {
        let listener = TcpListener::bind((Ipv6Addr::UNSPECIFIED, port)).expect("the namespace has no other");
        let shown = shown.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if CLOSED.load(Ordering::Relaxed) == port {
                    return;
                }
                let greetings =
                    if IS_PROXIED.load(Ordering::Relaxed) && port == 25 { proxy } else { greetings };
                let shown = shown.clone();
                thread::spawn(move || converse(stream, greetings, shown));
            }
        });
    }
}

fn converse(mut stream: TcpStream, greetings: &[&str], shown: Arc<rustls::ServerConfig>) {
    for (index, greeting) in greetings.iter().enumerate() {
        if index > 0 && !matches!(stream.read(&mut [0; 512]), Ok(1..)) {
            return;
        }
        if stream.write_all(greeting.as_bytes()).is_err() {
            return;
        }
    }
    let Ok(connection) = rustls::ServerConnection::new(shown) else { return };
    let mut stream = rustls::StreamOwned::new(connection, stream);
    let mut request = [0; 4096];
    // A client that does not trust the certificate disconnects here.
    let Ok(length) = stream.read(&mut request) else { return };
    let policy = supervisor::mta_sts::policy(&domain("mail.example.org"));
    let is_policy = String::from_utf8_lossy(&request[..length]).contains(supervisor::mta_sts::PATH);
    let (code, body) = if is_policy { ("200 OK", policy.as_str()) } else { ("404 Not Found", "") };
    let _ = stream
        .write_all(format!("HTTP/1.1 {code}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
    stream.conn.send_close_notify();
    let _ = stream.flush();
}

struct Site {
    folder: tempfile::TempDir,
    knot: Knot,
    unbound: Unbound,
    updater: Updater,
    runtime: tokio::runtime::Runtime,
}

fn site() -> Site {
    let pointers = |host: &str| format!("{host} PTR mail.example.org.\n");
    let reverse6 = pointers("0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0");
    let others = "2.0.0.127.dnsbl A 127.0.0.2\n_spf TXT \"v=spf1 ip4:192.0.2.1 -all\"\n\
                  _wrong TXT \"v=spf1 ip4:192.0.2 -all\"\n_loop TXT \"v=spf1 include:_loop.example.com -all\"\n\
                  probe A 127.0.0.1\nprobe AAAA ::1\n";
    let knot = Knot::start(
        &[
            ("example.org", "@ TXT \"owner=example\"\n"),
            ("example.com", others),
            (REVERSE4, &pointers("10")),
            (REVERSE6, &reverse6),
        ],
        Signing::On,
    );
    let unbound = Unbound::start(&knot, SIGNED, UNSIGNED);
    let key = TsigKey {
        name: domain(KEY_NAME),
        algorithm: TsigAlgorithm::HmacSha256,
        secret: Confidential::new(SECRET),
    };
    let updater = Updater::new(&DnsUpdate { server: knot.address(), key: Some(key) }).expect("a key");
    let folder = tempfile::tempdir().expect("a folder can be made");
    write_site(folder.path(), &unbound);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    Site { folder, knot, unbound, updater, runtime }
}

/// Writes the files that process 1 would have written.
fn write_site(folder: &Path, unbound: &Unbound) {
    fs::create_dir(folder.join("run")).expect("a folder can be made");
    let names = ["mail", "autoconfig", "autodiscover", "mta-sts"].map(|label| format!("{label}.example.org"));
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
        is_attested: true,
        is_local: false,
        is_relayed: false,
        certificate: certificate.clone(),
        authorities: Some(certificate),
        volume: folder.to_owned(),
        // No such host exists here, so there is no clock to compare with.
        acme_directory: Some("https://acme-v02.api.letsencrypt.org/directory".into()),
        dns_servers: vec![unbound.address()],
        blocklists: vec![domain("dnsbl.example.com")],
        smtp_host: Some(greeting_server("220 mx.example.com ESMTP\r\n").to_string()),
        signatures: vec![PublicSignature {
            domain: domain("example.org"),
            selector: "mailstead-rsa".into(),
            kind: "rsa".into(),
            base64: base64::Engine::encode(&base64::engine::general_purpose::STANDARD, public.as_ref()),
        }],
    };
    let health = greeting_server(
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
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.code(), printed + &String::from_utf8_lossy(&output.stderr))
    }

    fn check(&self) -> (Option<i32>, Vec<String>, String) {
        let (status, text) = self.mailstead(&["check", "--json"]);
        let json: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        let findings = json["findings"].as_array().expect("a list");
        let ids = findings.iter().map(|finding| finding["id"].as_str().expect("a name").to_owned());
        // No authority issues certificates here, so there is no clock to compare with.
        (status, ids.filter(|id| id != "not-checked").collect(), text)
    }

    /// Repeats the check until the condition holds: resolvers cache records for a second.
    fn check_until(&self, what: &str, is_so: impl Fn(&[String]) -> bool) -> Option<i32> {
        let mut last = String::new();
        tests::wait::until(what, || {
            let (status, found, text) = self.check();
            if text != last {
                // Visible if the test fails.
                println!("{what}: {found:?}\n{text}");
                last = text;
            }
            is_so(&found).then_some(status)
        })
    }

    /// Sends lines of an update, as an operator does.
    fn update(&self, zone: &str, lines: &str) {
        if lines.is_empty() {
            return;
        }
        let (server, port) = (self.knot.address().ip(), self.knot.address().port());
        let text = format!("server {server} {port}\nzone {zone}.\norigin .\n{lines}send\nquit\n");
        let mut update = Command::new(tests::knot::program("knsupdate"))
            .args(["-t", "10", "-y", &format!("hmac-sha256:{KEY_NAME}:{SECRET}")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("knsupdate runs");
        update.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("it reads");
        let output = update.wait_with_output().expect("it ends");
        let printed = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && printed.is_empty(), "{printed}\n{text}");
    }

    /// The machine with other settings.
    fn with_presence(&self, change: impl FnOnce(&mut Presence)) {
        let path = self.folder.path().join("run/presence.toml");
        let text = fs::read_to_string(&path).expect("it was written");
        let mut presence: Presence = toml::from_str(&text).expect("our own");
        change(&mut presence);
        fs::write(path, toml::to_string(&presence).expect("TOML")).expect("it can be written");
    }

    fn apply(&self, zone: &str, changes: Vec<Change>) {
        self.runtime.block_on(self.updater.apply(&name(zone), changes)).expect("an update");
    }
}

fn examine() {
    let site = site();
    services(site.folder.path());
    a_fresh_domain_is_one_page(&site);

    let (status, printed) = site.mailstead(&["dns", "--publish"]);
    assert_eq!(status, Some(64), "{printed}");
    assert!(
        printed.contains("  add     example.org. 3600 IN MX 10 mail.example.org.")
            && printed.contains("--yes"),
        "{printed}"
    );
    let (status, printed) = site.mailstead(&["dns", "--publish", "--dry-run"]);
    assert_eq!(status, Some(3), "{printed}");
    assert_eq!(site.knot.dig(&["example.org", "MX"]), "", "nothing was confirmed");
    let (status, printed) = site.mailstead(&["dns", "--publish", "--yes"]);
    assert_eq!(status, Some(0), "{printed}");
    assert_eq!(site.mailstead(&["dns", "--publish", "--dry-run"]).0, Some(0));
    // Only notices that no connection has come from outside, and that there is no clock to compare with.
    assert_eq!(site.check_until("nothing is found", <[String]>::is_empty), Some(0));
    let (status, printed) = site.mailstead(&["check"]);
    assert_eq!(status, Some(0), "{printed}");
    assert!(printed.contains("things were not checked") && !printed.contains("green"), "{printed}");

    faults_that_publishing_fixes(&site);
    faults_that_the_printed_fix_removes(&site);
    outgoing_mail_over_one_family_only(&site);
    causes_that_are_not_in_the_zone(&site);
    a_translated_address_is_never_taken_away(&site);
    ports_that_do_not_lead_here(&site);
}

fn ports_that_do_not_lead_here(site: &Site) {
    IS_PROXIED.store(true, Ordering::Relaxed);
    let (status, found, text) = site.check();
    assert_eq!((status, found.as_slice()), (Some(2), &["port-proxied".to_owned()][..]), "{text}");
    IS_PROXIED.store(false, Ordering::Relaxed);
    site.check_until("the proxy is gone", <[String]>::is_empty);
    CLOSED.store(993, Ordering::Relaxed);
    site.check_until("a closed port is found", |found| found == ["port-closed"]);
}

/// The report for a domain without any records fits on a page, with the zone to paste.
fn a_fresh_domain_is_one_page(site: &Site) {
    let (status, found, text) = site.check();
    assert_eq!((status, found.as_slice()), (Some(2), &["nothing-published".to_owned()][..]), "{text}");
    let (_, printed) = site.mailstead(&["check"]);
    assert!(printed.lines().count() <= 66, "{printed}");
    let (_, zone) = site.mailstead(&["dns"]);
    for line in zone.lines().filter(|line| line.contains(" IN ") && !line.starts_with(';')) {
        assert!(printed.contains(line), "{line} is not in\n{printed}");
    }
}

/// Each fault is found under its name, and gone once the records are published again.
fn faults_that_publishing_fixes(site: &Site) {
    for (zone, plant, id) in faults() {
        site.apply(zone, plant);
        let status =
            site.check_until(&format!("{id} is found"), |found| found.iter().any(|found| found == id));
        assert!(status == Some(1) || status == Some(2), "{id} counts for nothing");
        let (status, printed) = site.mailstead(&["dns", "--publish", "--yes"]);
        assert_eq!(status, Some(0), "{printed}");
        // Faults that publishing does not fix.
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
    assert!(site.knot.dig(&["example.org", "TXT"]).contains("owner=example"));
}

/// The faults of the test network: each is found once, under its name, and gone once the lines of the fix are applied.
fn faults_that_the_printed_fix_removes(site: &Site) {
    let key = site.knot.dig(&["mailstead-rsa._domainkey.example.org", "TXT"]);
    let key: Vec<&str> = key.split('"').skip(1).step_by(2).collect();
    let rest = key.concat().replacen("v=DKIM1; ", "", 1);
    let text = include_str!("../../tests/network/checks/faults.txt")
        .replace("@HEAD@", key[0])
        .replace("@A@", key[0])
        .replace("@B@", key[1])
        .replace("@R1@", &rest[..200])
        .replace("@R2@", &rest[200..])
        .replace("@ZERO@", &"00".repeat(32))
        .replace("@REVERSE@", &format!("10.{REVERSE4}."));
    let rows = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    for row in rows {
        let fields: Vec<&str> = row.split(" | ").collect();
        let (place, id, zone, plant) = (fields[0], fields[1], fields[2], fields[3]);
        if place == "private" {
            continue;
        }
        site.update(zone, &lines_of(plant));
        site.check_until(&format!("{id} alone is found: {row}"), |found| found == [id]);
        let (_, _, text) = site.check();
        let json: Value = serde_json::from_str(&text).expect("a report");
        let findings = json["findings"].as_array().expect("a list");
        let fix = findings.iter().find(|finding| finding["id"] == id).map(|finding| &finding["fix"]);
        let fix = fix.and_then(Value::as_str).expect("it was there a moment ago");
        for zone in SIGNED.iter().chain(UNSIGNED) {
            site.update(zone, &literally(fix, zone));
        }
        let what = format!("{id} is fixed by its fix: {row}\n{fix}");
        site.check_until(&what, <[String]>::is_empty);
        if let Some(tidy) = fields.get(4) {
            site.update(zone, &lines_of(tidy));
        }
    }
}

fn lines_of(changes: &str) -> String {
    changes.split(" ; ").map(|change| format!("update {change}\n")).collect()
}

/// The records that a fix removes and publishes in a zone, as lines of an update.
fn literally(fix: &str, zone: &str) -> String {
    let mut verb = "";
    let mut lines = String::new();
    for line in fix.lines() {
        match line.split_once(" IN ") {
            None if line.ends_with("remove") => verb = "delete",
            None if line.ends_with("publish") => verb = "add",
            None => {}
            Some((owner, content)) => {
                let name = owner.split(' ').next().expect("a name");
                let is_in_zone = name
                    .strip_suffix(&format!("{zone}."))
                    .is_some_and(|left| left.is_empty() || left.ends_with('.'));
                let time = if verb == "add" { "2 " } else { "" };
                if is_in_zone {
                    lines.push_str(&format!("update {verb} {name} {time}{content}\n"));
                }
            }
        }
    }
    lines
}

fn outgoing_mail_over_one_family_only(site: &Site) {
    let open = greeting_server("220 mx.example.com ESMTP\r\n");
    site.with_presence(|presence| presence.smtp_host = Some(format!("probe.example.com:{}", open.port())));
    let (status, found, text) = site.check();
    assert_eq!((status, found.as_slice()), (Some(1), &["port-25-blocked".to_owned()][..]), "{text}");
    assert!(text.contains("over IPv6 too"), "{text}");
    site.with_presence(|presence| presence.smtp_host = Some(open.to_string()));
}

/// The usual case in a cloud: the interface has a private address, and a router translates the public one. The router
/// may lack hairpin NAT.
fn a_translated_address_is_never_taken_away(site: &Site) {
    for change in [["del", &format!("{V4}/32")], ["add", "10.0.0.4/32"]] {
        let done = Command::new("ip").arg("address").args(change).args(["dev", "lo"]).status();
        assert!(done.expect("ip (of iproute2) is installed").success(), "{change:?}");
    }
    site.check_until("a translated address is in order", <[String]>::is_empty);
    let (status, printed) = site.mailstead(&["dns", "--publish", "--dry-run"]);
    assert_eq!(status, Some(0), "{printed}");
    let (_, printed) = site.mailstead(&["check"]);
    assert!(printed.contains("openssl s_client -connect mail.example.org:25"), "{printed}");
}

fn causes_that_are_not_in_the_zone(site: &Site) {
    for (flaw, id) in
        [(Flaw::WrongKey, "zone-bogus"), (Flaw::Lame, "zone-unanswered"), (Flaw::Refuses, "resolver-refuses")]
    {
        let unbound = Unbound::start_with(&site.knot, SIGNED, UNSIGNED, flaw);
        site.with_presence(|presence| presence.dns_servers = vec![unbound.address()]);
        let (status, found, text) = site.check();
        assert_eq!((status, found.as_slice()), (Some(2), &[id.to_owned()][..]), "{flaw:?}: {text}");
    }
    let gone = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    site.with_presence(|presence| presence.dns_servers = vec![gone.expect("a port is free")]);
    let (status, found, text) = site.check();
    assert_eq!((status, found.as_slice()), (Some(2), &["resolver-silent".to_owned()][..]), "{text}");
    site.with_presence(|presence| presence.dns_servers = vec![site.unbound.address()]);
}

/// A zone, its fault as changes, and the identifier of the finding.
fn faults() -> Vec<(&'static str, Vec<Change>, &'static str)> {
    let zone = "example.org.";
    let (top, host) = (name(zone), name("mail.example.org."));
    let other = RData::A(A(Ipv4Addr::new(198, 51, 100, 99)));
    let mx = |host: &str| vec![RData::MX(MX::new(10, name(host)))];
    let key = name("mailstead-rsa._domainkey.example.org.");
    let spf = |record: &str| {
        let others = Change::add(&top, 1, text("owner=example"));
        vec![Change::RemoveSet(top.clone(), RecordType::TXT), others, Change::add(&top, 1, text(record))]
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
        (zone, Change::replace(&top, 1, mx("198.51.100.10.")), "mx-impossible"),
        (zone, alias, "mx-alias"),
        (zone, Change::replace(&top, 1, vec![text("owner=example")]), "spf-missing"),
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
