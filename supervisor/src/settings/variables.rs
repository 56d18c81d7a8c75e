//! Every environment variable that Mailstead reads: its name, its meaning, its default and an example.
//!
//! This is the only place that names one. The reference page `docs/settings.md` is made from this file, and the faults
//! of a wrong environment quote the examples. A variable is added only when two operators need different values; a
//! value with one good answer is a constant beside the code that needs it.

/// One variable of the environment.
#[derive(Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name, beginning with `MAIL_`.
    pub name: &'static str,
    /// The variable that names a file with the value, if there is one.
    pub file: Option<&'static FileForm>,
    /// The behaviour when it is not set.
    pub default: &'static str,
    /// A value that would be accepted.
    pub example: &'static str,
    /// Its meaning, in paragraphs, each line as in the doc comment.
    pub about: &'static [&'static str],
}

/// The form of a variable that names a file: for secrets, which an environment exposes to too many.
#[derive(Debug, PartialEq, Eq)]
pub struct FileForm {
    /// The name of the variable with `_FILE` after it.
    pub name: &'static str,
    /// A path that would be accepted.
    pub example: &'static str,
}

macro_rules! variables {
    ($(
        $(#[doc = $about:literal])+
        $constant:ident = $name:literal $(or file $file:literal)?, default $default:literal, example $example:literal;
    )+) => {
        $(
            $(#[doc = $about])+
            pub const $constant: Variable = Variable {
                name: $name,
                file: {
                    const FORMS: &[FileForm] =
                        &[$(FileForm { name: concat!($name, "_FILE"), example: $file })?];
                    FORMS.first()
                },
                default: $default,
                example: $example,
                about: &[$($about),+],
            };
        )+

        /// All of them, in the order of the reference page.
        pub const ALL: &[&Variable] = &[$(&$constant),+];
    };
}

variables! {
    /// The domains whose mail arrives here, separated by commas: the part of an address after the `@`. The first one is
    /// the home domain, to which a login or an alias without a domain belongs.
    /// Users may have addresses in further domains; see `MAIL_USERS`. A start and `mailstead plan` list them.
    DOMAIN = "MAIL_DOMAIN", default "none, it must be set", example "example.org,example.net";

    /// The full name of this machine. The MX record points to it, the server greets with it, and the certificate is
    /// for it. The address of this machine should have a PTR record with the same name.
    HOSTNAME = "MAIL_HOSTNAME", default "`mail.` in front of the first `MAIL_DOMAIN`", example "mail.example.org";

    /// The users, each with a mailbox: `name:secret`, or `name@domain:secret` for a mailbox in a further domain,
    /// separated by commas or line breaks. The secret is a password, or a hash as Dovecot or OpenSMTPD writes it
    /// (`{ARGON2ID}…`, `{SHA512-CRYPT}…`, `{BLF-CRYPT}…`, `$6$…`, `$2y$…`). A hash may contain commas. A password with a
    /// comma needs `MAIL_USERS_FILE`. In a compose file, write `$$` for every `$`. In an `.env` file, a `#` after a
    /// blank begins a comment and `$` names a variable, unless the value is between single quotes.
    ///
    /// A password of less than 8 characters, one with a control character, and one that looks like the rest of a hash,
    /// such as `$6`, stop the start; the error shows the line to write. With `{PLAIN}` in front, everything else is
    /// taken as a password. A password with accents matches however a keyboard encodes it (RFC 8265).
    ///
    /// In the file each user has a line: the secret is everything after the first colon, with commas and dollar signs.
    /// Empty lines and lines that begin with `#` are skipped. A file without any user is refused.
    ///
    /// A secret is applied when it is first declared and whenever its declared value changes, so a password that
    /// its user has changed survives a restart. A user who is no longer declared keeps the mail and can no longer
    /// log in. Without any user the server starts too, and reports that there are none.
    USERS = "MAIL_USERS" or file "/run/secrets/users", default "none",
        example "ann:correct-horse,bob@example.net:battery-staple";

    /// The aliases: `name:target target …`, separated by commas or line breaks. A target is a user, another alias, or
    /// an address elsewhere. Names without a domain are in the home domain. `@domain:target` is a catch-all: it gets the
    /// mail for that domain that no user and no other alias gets.
    ///
    /// An address is looked up as a user, then as an alias, then without its `+anything` as both, and last as the
    /// catch-all of its domain. In the file each alias has a line; empty lines and lines that begin with `#` are skipped.
    ALIASES = "MAIL_ALIASES" or file "/run/secrets/aliases", default "none",
        example "info:ann bob@example.net,@example.net:ann";

    /// The limit on a user's mail, with `K`, `M` or `G` after the number for powers of 1024: a limit for all users, then
    /// `user:size` for single ones, separated by commas. `none` means unlimited. A message for a full mailbox is
    /// deferred, and the sender's server retries.
    QUOTA = "MAIL_QUOTA", default "none", example "2G,ann:5G,bob@example.net:none";

    /// The relay (smarthost) that all outgoing mail is sent to, instead of to each destination. For machines that may
    /// not connect to port 25 of other hosts.
    ///
    /// - `submission://user:password@host`: over STARTTLS, port 587
    /// - `submissions://user:password@host`: over TLS from the start, port 465
    /// - `smtp://host`: without a password, over STARTTLS where it is offered, port 25
    ///
    /// Write another port after the host, as `:port`. In the user and the password, write `%40` for `@`, `%3A` for
    /// `:`, `%2F` for `/` and `%25` for `%`.
    RELAY_URL = "MAIL_RELAY_URL" or file "/run/secrets/relay", default "none: mail is delivered to its destination",
        example "submission://ann:correct-horse@smarthost.example.net:587";

    /// The path of a file with CA certificates, in PEM, that the relay's certificate is verified with besides the public
    /// ones: for a private authority. It is read again on SIGHUP.
    RELAY_CA_FILE = "MAIL_RELAY_CA_FILE", default "none", example "/run/secrets/relay-ca.pem";

    /// The largest message that is accepted, in octets, or with `K`, `M` or `G` after the number for powers of 1024.
    MESSAGE_SIZE = "MAIL_MESSAGE_SIZE", default "50M", example "50M";

    /// The directory of the authority that issues the certificate (ACME, RFC 8555). With `none`, the server uses a
    /// self-made certificate, which other servers accept and mail programs warn about.
    ACME_DIRECTORY = "MAIL_ACME_DIRECTORY", default "`https://acme-v02.api.letsencrypt.org/directory`",
        example "https://acme-staging-v02.api.letsencrypt.org/directory";

    /// The path of a file with CA certificates, in PEM, that the authority's web server is verified with besides the
    /// public ones: for a private authority. `mailstead check` assumes that the users' devices trust them too.
    ACME_CA_FILE = "MAIL_ACME_CA_FILE", default "none", example "/run/secrets/acme-ca.pem";

    /// The mail address at which the authority may contact the operator.
    ACME_CONTACT = "MAIL_ACME_CONTACT", default "none", example "postmaster@example.org";

    /// The challenge type with which control of the names is proved: `http-01` needs port 80, `tls-alpn-01` port 443,
    /// and `dns-01` `MAIL_DNS_UPDATE_SERVER`. `auto` uses the first type that works.
    ACME_CHALLENGE = "MAIL_ACME_CHALLENGE", default "auto", example "http-01";

    /// The key ID of an existing account at the authority, for authorities that require one (external account binding).
    /// `MAIL_ACME_EAB_KEY` is the key.
    ACME_EAB_KEY_ID = "MAIL_ACME_EAB_KEY_ID", default "none", example "kid-1";

    /// The key that goes with `MAIL_ACME_EAB_KEY_ID`, in base64url as the authority shows it.
    ACME_EAB_KEY = "MAIL_ACME_EAB_KEY" or file "/run/secrets/acme-eab-key", default "none",
        example "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";

    /// The path of your own certificate, in PEM and followed by its chain, instead of one that the server obtains. It is
    /// read again when the file changes. `MAIL_TLS_KEY_FILE` is its key.
    TLS_CERT_FILE = "MAIL_TLS_CERT_FILE", default "none", example "/run/secrets/certificate.pem";

    /// The path of the key of `MAIL_TLS_CERT_FILE`, in PEM.
    TLS_KEY_FILE = "MAIL_TLS_KEY_FILE", default "none", example "/run/secrets/certificate-key.pem";

    /// The name servers to ask, as addresses separated by commas, with a port where it is not 53. Checks of incoming mail
    /// work best with your own resolver, on this machine or nearby. When `/etc/resolv.conf` changes, its new name servers
    /// are used within seconds.
    DNS_SERVERS = "MAIL_DNS_SERVERS", default "those in `/etc/resolv.conf`", example "127.0.0.1,[2001:db8::53]:5353";

    /// The address of the name server that accepts updates of the domains' zones (RFC 2136), with a port where it is
    /// not 53: for `mailstead dns --publish` and for `dns-01`.
    DNS_UPDATE_SERVER = "MAIL_DNS_UPDATE_SERVER", default "none", example "192.0.2.53";

    /// The key that signs the updates (TSIG, RFC 8945): `name:algorithm:secret`, where the algorithm is
    /// `hmac-sha256`, `hmac-sha384` or `hmac-sha512` and the secret is in base64.
    DNS_UPDATE_KEY = "MAIL_DNS_UPDATE_KEY" or file "/run/secrets/dns-update-key", default "none",
        example "mail-key:hmac-sha256:Y29ycmVjdCBob3JzZSBiYXR0ZXJ5IHN0YXBsZQ==";

    /// The port of the web pages that mail programs and other servers look for, and of `http-01`. Authorities connect to
    /// port 80 only, so another port needs a proxy in front. With `none`, it is not bound.
    HTTP_PORT = "MAIL_HTTP_PORT", default "80", example "8080";

    /// The same over TLS, and the port of `tls-alpn-01`.
    HTTPS_PORT = "MAIL_HTTPS_PORT", default "443", example "8443";

    /// The person or company that operates this server, with the postal address and further ways of contact: lines
    /// separated by semicolons or line breaks, at most 20. They are shown on `https://<MAIL_HOSTNAME>/`, beside the
    /// addresses of the postmaster and for complaints. T-Online accepts mail only from hosts whose operator is found so.
    OPERATOR = "MAIL_OPERATOR", default "none: the page has the addresses only",
        example "Ann Example;1 Example Street, 12345 Exampletown";

    /// The action for mail from another host that fails a check: `reject` refuses it, `junk` delivers it to the user's
    /// Junk folder, `off` only records the result. Exceptions follow, separated by commas: `check=action`. A refusal names
    /// the fault and the remedy; mail to `postmaster@` and `abuse@` is accepted in any case.
    ///
    /// - `rdns`: the host's address has a name (PTR record)
    /// - `fcrdns`: the name has the address; it cannot be stricter than `rdns`
    /// - `helo`: the name in HELO or EHLO is a full name, and not one of this server
    /// - `sender`: the sender's domain can receive a reply
    /// - `blocklist`: the address is in none of `MAIL_POLICY_BLOCKLISTS`
    /// - `spf`: the sender's domain allows the host; `junk` where `reject` applies to all, since forwarded mail fails
    /// - `dmarc`: the author's domain is genuine; never more than the domain asks for
    ///
    /// For a careful start write `junk`; to accept hosts without a name, `reject,rdns=junk,fcrdns=junk`; to judge nothing,
    /// `off`. Hosts with a private address, and users who log in, are not judged.
    POLICY = "MAIL_POLICY", default "reject", example "reject,rdns=junk,fcrdns=junk";

    /// The DNS blocklists whose entries fail the check `blocklist`, as zones separated by commas, at most 8. Choose lists
    /// that you trust to name spammers only; most of them refuse queries from large public resolvers: see
    /// `MAIL_DNS_SERVERS`.
    POLICY_BLOCKLISTS = "MAIL_POLICY_BLOCKLISTS", default "none", example "zen.spamhaus.org";

    /// The DNS blocklists in which `mailstead check` looks up this machine's addresses, as zones separated by commas, or
    /// `none`. Most of them refuse queries from large public resolvers: see `MAIL_DNS_SERVERS`.
    CHECK_BLOCKLISTS = "MAIL_CHECK_BLOCKLISTS", default "`zen.spamhaus.org,bl.spamcop.net,psbl.surriel.com`",
        example "zen.spamhaus.org";

    /// The host to whose port 25 `mailstead check` connects, to test if mail can leave this machine, or `none`. Write
    /// another port after it, as `:port`.
    CHECK_SMTP_HOST = "MAIL_CHECK_SMTP_HOST", default "`gmail-smtp-in.l.google.com`", example "mx.example.net";

    /// The addresses and networks of the load balancers and reverse proxies in front of the mail ports, separated by
    /// commas. Each of their connections to ports 25, 465, 587, 143 and 993 must begin with a PROXY header, version 1 or 2,
    /// and is treated as a connection of the client that the header names. Headers from other addresses are never
    /// believed. The server's own checks connect from `127.0.0.1`, so no network may have it.
    PROXY_TRUSTED = "MAIL_PROXY_TRUSTED", default "none", example "192.0.2.10,2001:db8:1::/64";

    /// The level of the log: `error`, `warn`, `info`, `debug` or `trace`.
    LOG = "MAIL_LOG", default "info", example "debug";

    /// The format of a log line: `text` for a person, `json` for a program.
    LOG_FORMAT = "MAIL_LOG_FORMAT", default "text", example "json";
}

/// The former names of variables, each with the present one.
pub const RENAMED: [(&str, &Variable); 1] = [("MAIL_BLOCKLISTS", &CHECK_BLOCKLISTS)];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_there_once() {
        let files = ALL.iter().filter_map(|variable| variable.file).map(|file| file.name);
        let mut names: Vec<&str> = ALL.iter().map(|variable| variable.name).chain(files).collect();
        assert!(names.iter().all(|name| name.starts_with("MAIL_")));
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
