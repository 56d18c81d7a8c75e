//! Findings: an identifier that scripts can rely on, the severity, the cause in plain words, and the exact fix.

use serde::Serialize;

/// The severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// No fault.
    Ok,
    /// Could be better; mail is sent and received all the same.
    Notice,
    /// Some mail is or will be lost at other hosts.
    Warning,
    /// Mail is not received, or is rejected by other hosts.
    Error,
}

macro_rules! ids {
    ($($(#[doc = $meaning:literal])+ $id:ident = $name:literal;)+) => {
        /// The faults that are detected. The identifiers are for scripts and never change.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
        pub enum FindingId {
            $($(#[doc = $meaning])+ #[serde(rename = $name)] $id,)+
        }

        impl FindingId {
            /// All identifiers, in the order of the table in `docs/operating.md`.
            pub const ALL: &[Self] = &[$(Self::$id),+];

            /// The identifier.
            pub fn name(self) -> &'static str {
                match self { $(Self::$id => $name,)+ }
            }

            /// Its meaning, as in the documentation.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$id => concat!($($meaning),+).trim_ascii(),)+ }
            }
        }
    };
}

ids! {
    /// nothing of a domain is published yet
    NothingPublished = "nothing-published";
    /// the machine's name has no address
    AddressMissing = "address-missing";
    /// the machine's name has an address that is not the machine's
    AddressDifferent = "address-different";
    /// the machine sends over IPv6 and its name has no IPv6 address
    Ipv6Unpublished = "ipv6-unpublished";
    /// the machine's name has an address that other hosts cannot reach
    AddressPrivate = "address-private";
    /// the domain has no MX record
    MxMissing = "mx-missing";
    /// the domain's mail goes to another host, or to another one too
    MxElsewhere = "mx-elsewhere";
    /// the host in the MX record is an alias, which RFC 5321 §5.1 forbids
    MxAlias = "mx-alias";
    /// an MX record to which no mail can be sent: an address, localhost, the domain's name twice, or `.`
    MxImpossible = "mx-impossible";
    /// another host in an MX record does not answer
    MxDead = "mx-dead";
    /// no SPF record
    SpfMissing = "spf-missing";
    /// several SPF records, which count as none
    SpfSeveral = "spf-several";
    /// an SPF record that does not let this machine send
    SpfDifferent = "spf-different";
    /// an SPF record that cannot be read, or refers to one that cannot
    SpfSyntax = "spf-syntax";
    /// an SPF record that refers to a record that does not exist
    SpfInclude = "spf-include";
    /// an SPF record that needs too many DNS lookups
    SpfLookups = "spf-lookups";
    /// an SPF record that lets every host send
    SpfOpen = "spf-open";
    /// an SPF record that does not say that other hosts may not send
    SpfNeutral = "spf-neutral";
    /// a signing key is not published
    DkimMissing = "dkim-missing";
    /// another key is published than mail is signed with
    DkimDifferent = "dkim-different";
    /// only a part of a signing key is published
    DkimCut = "dkim-cut";
    /// a signing key is published with quotes or backslashes in it
    DkimQuoted = "dkim-quoted";
    /// a signing key is published with the flag for testing (`t=y`)
    DkimTesting = "dkim-testing";
    /// no DMARC record
    DmarcMissing = "dmarc-missing";
    /// several DMARC records, which count as none
    DmarcSeveral = "dmarc-several";
    /// a DMARC record whose policy is `none` or invalid
    DmarcWeak = "dmarc-weak";
    /// a DMARC record with parts that receivers ignore
    DmarcIgnored = "dmarc-ignored";
    /// DMARC reports go to another domain, which has not agreed to them
    DmarcReports = "dmarc-reports";
    /// no MTA-STS record
    MtaStsMissing = "mta-sts-missing";
    /// several MTA-STS records, which count as none
    MtaStsSeveral = "mta-sts-several";
    /// the MTA-STS record does not announce the policy that is served
    MtaStsDifferent = "mta-sts-different";
    /// the MTA-STS policy cannot be fetched, or another one is served
    MtaStsPolicy = "mta-sts-policy";
    /// senders do not trust the web server that has the MTA-STS policy
    MtaStsCertificate = "mta-sts-certificate";
    /// no record names an address for reports about encryption
    TlsReportingMissing = "tls-reporting-missing";
    /// an invalid record about reports, or several
    TlsReportingWrong = "tls-reporting-wrong";
    /// mail programs do not find the servers by themselves
    ServiceMissing = "service-missing";
    /// a service is published as not offered, although it is
    ServiceDenied = "service-denied";
    /// a service that begins without TLS is preferred, or the one with TLS is not
    ServicePreference = "service-preference";
    /// mail programs are sent to another host
    ServiceDifferent = "service-different";
    /// a name under which pages are served has no address
    WebMissing = "web-missing";
    /// a name under which pages are served leads to another host
    WebElsewhere = "web-elsewhere";
    /// the domain's own name leads here, and the certificate that is served there is not for it
    DomainCertificate = "domain-certificate";
    /// a CAA record forbids the authority to issue certificates
    CaaForbids = "caa-forbids";
    /// any authority may issue certificates
    CaaMissing = "caa-missing";
    /// CAA records allow other authorities, and the CAA name of the one in use is not known
    CaaOther = "caa-other";
    /// the zone is signed and has no TLSA record
    TlsaMissing = "tlsa-missing";
    /// a TLSA record is not that of the certificate's key
    TlsaDifferent = "tlsa-different";
    /// an address has no reverse name
    ReverseMissing = "reverse-missing";
    /// an address has another reverse name than the machine's
    ReverseDifferent = "reverse-different";
    /// an address has a name that the provider made from it, which large receivers refuse
    ReverseGeneric = "reverse-generic";
    /// the reverse name does not lead back to the address
    ReverseUnconfirmed = "reverse-unconfirmed";
    /// an address has several reverse names
    ReverseSeveral = "reverse-several";
    /// port 25 of other hosts cannot be reached
    Port25Blocked = "port-25-blocked";
    /// a port of this machine is closed under its public address
    PortClosed = "port-closed";
    /// a proxy or another server answers on a port of this machine's public address
    PortProxied = "port-proxied";
    /// an address of the machine is on a blocklist
    Blocklisted = "blocklisted";
    /// a blocklist does not answer this resolver
    BlocklistRefuses = "blocklist-refuses";
    /// a blocklist lists nothing, or everything: it is dead, or the resolver invents answers
    BlocklistUseless = "blocklist-useless";
    /// no name server is known, or none answers
    ResolverSilent = "resolver-silent";
    /// the resolver refuses to answer this machine
    ResolverRefuses = "resolver-refuses";
    /// the resolver answers every query with an error
    ResolverFails = "resolver-fails";
    /// the name servers of a zone do not answer
    ZoneUnanswered = "zone-unanswered";
    /// the signatures of a zone are invalid (DNSSEC)
    ZoneBogus = "zone-bogus";
    /// one name has no answer although others have
    Unanswered = "unanswered";
    /// something could not be checked from here
    NotChecked = "not-checked";
    /// the resolver does not validate signatures (DNSSEC)
    ResolverNotValidating = "resolver-not-validating";
    /// the resolver is one of the large public ones
    ResolverPublic = "resolver-public";
    /// the clock is wrong
    ClockWrong = "clock-wrong";
    /// the volume is nearly full
    SpaceLow = "space-low";
    /// the volume is nearly out of inodes
    InodesLow = "inodes-low";
    /// the volume, or a folder in it, cannot be written or accessed
    VolumeUnusable = "volume-unusable";
    /// a folder on the volume has a wrong owner or wrong permissions
    VolumeForeign = "volume-foreign";
    /// the certificate cannot be read
    CertificateUnusable = "certificate-unusable";
    /// the certificate is self-made
    CertificateSelfMade = "certificate-self-made";
    /// the certificate has expired, or expires within days
    CertificateEnds = "certificate-ends";
    /// the certificate is not for a name that clients use
    CertificateName = "certificate-name";
    /// the certificate comes without the chain to its authority
    CertificateChain = "certificate-chain";
    /// browsers and mail programs do not trust the certificate's authority
    CertificateUntrusted = "certificate-untrusted";
    /// the last order of a certificate failed
    AcmeFailed = "acme-failed";
    /// Mailstead does not run here
    NotRunning = "not-running";
    /// another program holds port 25
    Port25Taken = "port-25-taken";
    /// a daemon does not work, or another fault on the health page
    Unhealthy = "unhealthy";
    /// clients connect with the address of the container's gateway
    GatewayClients = "gateway-clients";
}

/// A fault, with its fix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The identifier.
    pub id: FindingId,
    /// The severity.
    pub severity: Severity,
    /// The cause in plain words.
    pub cause: String,
    /// The fix: the exact record to publish, the command to run.
    pub fix: String,
}

impl Finding {
    pub(super) fn new(
        severity: Severity,
        id: FindingId,
        cause: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self { id, severity, cause: cause.into(), fix: fix.into() }
    }

    pub(super) fn error(id: FindingId, cause: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(Severity::Error, id, cause, fix)
    }

    pub(super) fn warning(id: FindingId, cause: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(Severity::Warning, id, cause, fix)
    }

    pub(super) fn notice(id: FindingId, cause: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(Severity::Notice, id, cause, fix)
    }
}
