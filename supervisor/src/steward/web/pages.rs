//! Finds the page for a request in a table of hosts and paths, without any I/O.

use address::{Address, Domain};
use handover::config;
use hyper::{Method, StatusCode};
use percent_encoding::percent_decode_str;

use super::{Web, autoconfig, autodiscover, operator, profile, setup};
use crate::certificate::{covers, is_self_made};
use crate::mta_sts;
use crate::web_names;

/// The scheme of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    Http,
    Https,
}

/// The parts of a request that select the page.
#[derive(Debug)]
pub(super) struct PageRequest<'q> {
    pub(super) scheme: Scheme,
    pub(super) method: &'q Method,
    /// The host as sent, with or without a port.
    pub(super) host: &'q str,
    pub(super) path: &'q str,
    pub(super) query: Option<&'q str>,
}

/// An HTTP response.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PageResponse {
    pub(super) code: StatusCode,
    pub(super) kind: &'static str,
    pub(super) body: Vec<u8>,
    pub(super) location: Option<String>,
    pub(super) allow: Option<&'static str>,
}

/// A response, or a page that depends on the request's body.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Lookup {
    Answered(PageResponse),
    NeedsBody(autodiscover::Page),
}

/// The path for HTTP-01 (RFC 8555 §8.3).
pub(in crate::steward) const CHALLENGES: &str = "/.well-known/acme-challenge/";

const TEXT: &str = "text/plain; charset=utf-8";
const XML: &str = "text/xml; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";
const READ: &str = "GET, HEAD";

impl PageResponse {
    fn new(code: StatusCode, kind: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self { code, kind, body: body.into(), location: None, allow: None }
    }

    pub(super) fn xml(body: String) -> Self {
        Self::new(StatusCode::OK, XML, body)
    }

    /// The response to a malformed document.
    pub(super) fn bad_xml(body: String) -> Self {
        Self::new(StatusCode::BAD_REQUEST, XML, body)
    }

    fn html(code: StatusCode, body: String) -> Self {
        Self::new(code, HTML, body)
    }

    fn text(code: StatusCode, body: impl Into<String>) -> Self {
        Self::new(code, TEXT, body.into())
    }

    pub(super) fn not_found() -> Self {
        Self::text(StatusCode::NOT_FOUND, "Not found\n")
    }

    pub(super) fn too_large() -> Self {
        Self::text(StatusCode::PAYLOAD_TOO_LARGE, "Request body too large\n")
    }

    fn not_allowed(allow: &'static str) -> Self {
        Self { allow: Some(allow), ..Self::text(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed\n") }
    }

    /// A redirect by 308, after which the client keeps its method (RFC 9110 §15.4.9).
    fn moved(location: String) -> Self {
        Self::redirect(StatusCode::PERMANENT_REDIRECT, location)
    }

    fn redirect(code: StatusCode, location: String) -> Self {
        let answer = Self::text(code, format!("{location}\n"));
        Self { location: Some(location), ..answer }
    }
}

impl Web {
    /// Finds the page.
    pub(super) fn find_page(&self, request: &PageRequest<'_>) -> Lookup {
        let site = self.site.load();
        match request.scheme {
            Scheme::Http => Lookup::Answered(self.look_up_plain(&site, request)),
            Scheme::Https => {
                let is_attested = || {
                    self.live.facts().is_some_and(|facts| {
                        !is_self_made(&facts) && covers(&facts.names, site.hostname.as_str())
                    })
                };
                let sign = |content: &[u8]| self.live.signed(content);
                look_up_secure(&site, request, Certificate { is_attested: &is_attested, sign: &sign })
            }
        }
    }

    fn look_up_plain(&self, site: &config::Web, request: &PageRequest<'_>) -> PageResponse {
        let is_read = request.method == Method::GET || request.method == Method::HEAD;
        if let Some(token) = request.path.strip_prefix(CHALLENGES) {
            return match self.challenges.for_token(token) {
                Some(_) if !is_read => PageResponse::not_allowed(READ),
                Some(authorization) => PageResponse {
                    kind: "application/octet-stream",
                    ..PageResponse::text(StatusCode::OK, authorization)
                },
                None => PageResponse::not_found(),
            };
        }
        match site_name(site, request.host) {
            Some(_) if DAV.contains(&request.path) => PageResponse::not_found(),
            Some(_) => {
                let query = request.query.map(|query| format!("?{query}")).unwrap_or_default();
                let location = format!("https://{}{}{query}", bare(request.host), request.path);
                // Outlook follows only 302, after any method (MS-OXDISCO §3.1.5.4).
                if request.path.eq_ignore_ascii_case(autodiscover::PATH) {
                    return PageResponse::redirect(StatusCode::FOUND, location);
                }
                PageResponse::moved(location)
            }
            // Not found: a proxy in front of us may trust a page for a host that it thinks is ours.
            None => PageResponse::not_found(),
        }
    }
}

/// The parts of the mail host's certificate on which pages depend.
#[derive(Clone, Copy)]
struct Certificate<'c> {
    /// Returns true if an authority issued it.
    is_attested: &'c dyn Fn() -> bool,
    /// Signs a file, if its key supports that.
    sign: &'c dyn Fn(&[u8]) -> Option<Vec<u8>>,
}

fn look_up_secure(site: &config::Web, request: &PageRequest<'_>, certificate: Certificate<'_>) -> Lookup {
    let Some(place) = site_name(site, request.host) else {
        return Lookup::Answered(PageResponse::not_found());
    };
    let path = request.path.to_ascii_lowercase();
    let is_read = request.method == Method::GET || request.method == Method::HEAD;
    let reading = |page: &dyn Fn() -> PageResponse| {
        Lookup::Answered(if is_read { page() } else { PageResponse::not_allowed(READ) })
    };
    let thunderbird =
        |domain: &Domain| reading(&|| PageResponse::xml(autoconfig::page(&site.hostname, domain)));
    match (place, path.as_str()) {
        (SiteName::Policy, mta_sts::PATH) if (certificate.is_attested)() => {
            reading(&|| PageResponse::text(StatusCode::OK, mta_sts::policy(&site.hostname)))
        }
        (SiteName::Thunderbird(domain), autoconfig::PATH | autoconfig::WELL_KNOWN) => thunderbird(domain),
        (SiteName::Itself(domain), autoconfig::PATH | autoconfig::WELL_KNOWN) => {
            let address =
                parameter(request.query, autoconfig::ADDRESS).and_then(|address| ours(site, &address));
            thunderbird(address.as_ref().and_then(Address::domain).unwrap_or(domain))
        }
        (SiteName::Itself(domain), operator::PATH) => reading(&|| {
            PageResponse::html(StatusCode::OK, operator::page(&site.hostname, domain, &site.operator))
        }),
        (SiteName::Itself(domain), setup::PATH) => {
            reading(&|| PageResponse::html(StatusCode::OK, setup::page(&site.hostname, domain)))
        }
        (SiteName::Itself(_), profile::PATH) => reading(&|| apple(site, request.query, certificate.sign)),
        (SiteName::Outlook(_) | SiteName::Itself(_), autodiscover::PATH)
            if request.method == Method::POST =>
        {
            Lookup::NeedsBody(autodiscover::Page::new(site))
        }
        (SiteName::Outlook(_) | SiteName::Itself(_), autodiscover::PATH) => {
            Lookup::Answered(PageResponse::not_allowed("POST"))
        }
        _ => Lookup::Answered(PageResponse::not_found()),
    }
}

/// The profile for the address in the query, signed if possible.
fn apple(site: &config::Web, query: Option<&str>, sign: &dyn Fn(&[u8]) -> Option<Vec<u8>>) -> PageResponse {
    let address = parameter(query, profile::ADDRESS).and_then(|address| ours(site, &address));
    let Some(address) = address else {
        return PageResponse::html(StatusCode::NOT_FOUND, setup::unknown_address());
    };
    let profile = profile::profile(&site.hostname, &address).into_bytes();
    PageResponse::new(StatusCode::OK, profile::KIND, sign(&profile).unwrap_or(profile))
}

/// Parses an address in one of our domains. Whether that user exists is not checked.
fn ours(site: &config::Web, address: &str) -> Option<Address> {
    let address = Address::parse(address.trim()).ok()?;
    address.domain().is_some_and(|domain| site.domains.contains(domain)).then_some(address)
}

/// The value of a parameter (`application/x-www-form-urlencoded`, but `+` is kept: it occurs in addresses, and spaces
/// do not).
fn parameter(query: Option<&str>, name: &str) -> Option<String> {
    let mut pairs = query?.split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(key, _)| *key == name)?;
    Some(percent_decode_str(value).decode_utf8().ok()?.into_owned())
}

/// The paths of calendars and address books (RFC 6764 §5). Answered without TLS too: a client redirected to a name
/// without a certificate would show a warning for a service that does not exist.
const DAV: [&str; 2] = ["/.well-known/caldav", "/.well-known/carddav"];

/// The name of ours that a request is for.
#[derive(Debug, PartialEq, Eq)]
enum SiteName<'s> {
    /// `mta-sts.<domain>`
    Policy,
    /// `autoconfig.<domain>`
    Thunderbird(&'s Domain),
    /// `autodiscover.<domain>`
    Outlook(&'s Domain),
    /// The domain's own name, or the host's, which counts as the first domain's.
    Itself(&'s Domain),
}

fn site_name<'s>(site: &'s config::Web, host: &str) -> Option<SiteName<'s>> {
    let host = bare(host);
    let itself = |name: &Domain| host.eq_ignore_ascii_case(name.as_str());
    if let Some(domain) = site.domains.iter().find(|domain| itself(domain)) {
        return Some(SiteName::Itself(domain));
    }
    if itself(&site.hostname) {
        return site.domains.first().map(SiteName::Itself);
    }
    let (label, rest) = host.split_once('.')?;
    let domain = site.domains.iter().find(|domain| rest.eq_ignore_ascii_case(domain.as_str()))?;
    match label.to_ascii_lowercase().as_str() {
        mta_sts::LABEL => Some(SiteName::Policy),
        web_names::AUTOCONFIG => Some(SiteName::Thunderbird(domain)),
        web_names::AUTODISCOVER => Some(SiteName::Outlook(domain)),
        _ => None,
    }
}

/// A host without its port and trailing dot.
fn bare(host: &str) -> &str {
    let host = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|octet| octet.is_ascii_digit()) => name,
        _ => host,
    };
    host.trim_end_matches('.')
}

#[cfg(test)]
mod tests;
