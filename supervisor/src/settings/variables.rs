//! Every environment variable that Mailstead reads: its name, what it means, its default and an example.
//!
//! This is the only place that names one. The reference page `docs/settings.md` is made from this file, and the
//! faults that a wrong environment gets quote the examples. A variable is added only when two operators
//! need different values; what has one good answer is a constant beside the code that needs it.

/// One variable of the environment.
#[derive(Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name, beginning with `MAIL_`.
    pub name: &'static str,
    /// What happens when it is not set.
    pub default: &'static str,
    /// A value that would be accepted.
    pub example: &'static str,
    /// What it means, in paragraphs, each line as it stands in the doc comment.
    pub about: &'static [&'static str],
}

macro_rules! variables {
    ($($(#[doc = $about:literal])+ $constant:ident = $name:literal, default $default:literal, example $example:literal;)+) => {
        $(
            $(#[doc = $about])+
            pub const $constant: Variable =
                Variable { name: $name, default: $default, example: $example, about: &[$($about),+] };
        )+

        /// All of them, in the order of the reference page.
        pub const ALL: &[&Variable] = &[$(&$constant),+];
    };
}

variables! {
    /// The domain whose mail arrives here: what stands behind the `@`.
    /// Users may have addresses in further domains; see `MAIL_USERS`.
    DOMAIN = "MAIL_DOMAIN", default "none, it must be set", example "example.org";

    /// The full name of this machine: what the MX record points to, what the server calls itself, and the
    /// name in its certificate. The address of this machine should have a PTR record with the same name.
    HOSTNAME = "MAIL_HOSTNAME", default "`mail.` in front of `MAIL_DOMAIN`", example "mail.example.org";

    /// Who has a mailbox: `name:secret`, or `name@domain:secret` for a mailbox in a further domain, separated
    /// by commas or line breaks. The secret is a password, or a hash in a form that Dovecot or OpenSMTPD
    /// writes (`{ARGON2ID}…`, `{SHA512-CRYPT}…`, `{BLF-CRYPT}…`, `$6$…`, `$2y$…`). Commas within a hash are
    /// understood. A password with a comma in it needs `MAIL_USERS_FILE`, and in a compose file every `$` must be
    /// written `$$`.
    ///
    /// A secret is applied when it is first seen and whenever its declared value changes, so a password that
    /// its owner changed survives a restart. A user who is no longer declared keeps the mail and loses the
    /// login. Without any user the server starts all the same, and says what is missing.
    USERS = "MAIL_USERS", default "none", example "ann:correct-horse,bob@example.net:battery-staple";

    /// The path of a file with the users, one a line as in `MAIL_USERS`: all that follows the first colon is
    /// the secret, commas and dollar signs included. Empty lines and lines that begin with `#` are skipped.
    /// It is read again on SIGHUP. Set this or `MAIL_USERS`, not both.
    USERS_FILE = "MAIL_USERS_FILE", default "none", example "/run/secrets/users";

    /// The largest message that is accepted, in octets, or with `K`, `M` or `G` behind the number for powers
    /// of 1024.
    MESSAGE_SIZE = "MAIL_MESSAGE_SIZE", default "50M", example "50M";

    /// The name servers to ask, as addresses separated by commas, with a port where it is not 53. Checks of
    /// other people's mail work best with a resolver of one's own on this machine or nearby.
    DNS_SERVERS = "MAIL_DNS_SERVERS", default "those in `/etc/resolv.conf`", example "127.0.0.1,[2001:db8::53]:5353";

    /// A host that all outgoing mail is handed to instead of being delivered to each destination, as
    /// `host:port`. For machines that may not connect to port 25 of others.
    RELAY_TO = "MAIL_RELAY_TO", default "none: mail is delivered to its destination", example "smarthost.example.net:587";

    /// How much is logged: `error`, `warn`, `info`, `debug` or `trace`.
    LOG = "MAIL_LOG", default "info", example "debug";
}
