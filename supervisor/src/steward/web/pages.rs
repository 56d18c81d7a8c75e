//! Which page a request is for: a table of hosts and paths, without any I/O.

use address::Domain;
use handover::config;
use hyper::{Method, StatusCode};

use super::{Web, autoconfig, autodiscover};
use crate::certificate::{covers, is_self_made};
use crate::mta_sts;
use crate::web_names;

/// By which door a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    Http,
    Https,
}

/// What of a request counts.
#[derive(Debug)]
pub(super) struct Question<'q> {
    pub(super) scheme: Scheme,
    pub(super) method: &'q Method,
    /// As it was sent, with or without a port.
    pub(super) host: &'q str,
    pub(super) path: &'q str,
    pub(super) query: Option<&'q str>,
}

/// What is answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) code: StatusCode,
    pub(super) kind: &'static str,
    pub(super) body: String,
    pub(super) location: Option<String>,
    pub(super) allow: Option<&'static str>,
}

/// A page, or one that depends on what the request carries.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Answered(Answer),
    NeedsBody(autodiscover::Page),
}

/// Where HTTP-01 looks (RFC 8555 §8.3).
pub(in crate::steward) const CHALLENGES: &str = "/.well-known/acme-challenge/";

const TEXT: &str = "text/plain; charset=utf-8";
const XML: &str = "text/xml; charset=utf-8";
const READ: &str = "GET, HEAD";

impl Answer {
    pub(super) fn xml(body: String) -> Self {
        Self { code: StatusCode::OK, kind: XML, body, location: None, allow: None }
    }

    fn text(code: StatusCode, body: impl Into<String>) -> Self {
        Self { code, kind: TEXT, body: body.into(), location: None, allow: None }
    }

    pub(super) fn not_found() -> Self {
        Self::text(StatusCode::NOT_FOUND, "There is no such page here.\n")
    }

    pub(super) fn too_large() -> Self {
        Self::text(StatusCode::PAYLOAD_TOO_LARGE, "That is more than is read here.\n")
    }

    pub(super) fn bad_request(why: &str) -> Self {
        Self::text(StatusCode::BAD_REQUEST, format!("{why}\n"))
    }

    fn not_allowed(allow: &'static str) -> Self {
        Self { allow: Some(allow), ..Self::text(StatusCode::METHOD_NOT_ALLOWED, "Not in that way.\n") }
    }

    /// 308: the client shall ask in the same way (RFC 9110 §15.4.9).
    fn moved(location: String) -> Self {
        let answer = Self::text(StatusCode::PERMANENT_REDIRECT, format!("{location}\n"));
        Self { location: Some(location), ..answer }
    }
}

impl Web {
    /// Finds the page.
    pub(super) fn look_up(&self, question: &Question<'_>) -> Asked {
        let site = self.site.load();
        match question.scheme {
            Scheme::Http => Asked::Answered(self.look_up_plain(&site, question)),
            Scheme::Https => {
                let is_attested = || {
                    self.live.facts().is_some_and(|facts| {
                        !is_self_made(&facts) && covers(&facts.names, site.hostname.as_str())
                    })
                };
                look_up_secure(&site, question, is_attested)
            }
        }
    }

    fn look_up_plain(&self, site: &config::Web, question: &Question<'_>) -> Answer {
        let is_read = question.method == Method::GET || question.method == Method::HEAD;
        if let Some(token) = question.path.strip_prefix(CHALLENGES) {
            return match self.challenges.for_token(token) {
                Some(_) if !is_read => Answer::not_allowed(READ),
                Some(authorization) => {
                    Answer { kind: "application/octet-stream", ..Answer::text(StatusCode::OK, authorization) }
                }
                None => Answer::not_found(),
            };
        }
        match place(site, question.host) {
            Some(_) => {
                let query = question.query.map(|query| format!("?{query}")).unwrap_or_default();
                Answer::moved(format!("https://{}{}{query}", bare(question.host), question.path))
            }
            // Whatever is in front of us may believe a page of a host that it thinks is ours.
            None => Answer::not_found(),
        }
    }
}

/// `is_attested` says whether the mail host's certificate is an authority's.
fn look_up_secure(site: &config::Web, question: &Question<'_>, is_attested: impl Fn() -> bool) -> Asked {
    let Some(place) = place(site, question.host) else { return Asked::Answered(Answer::not_found()) };
    let path = question.path.to_ascii_lowercase();
    let is_read = question.method == Method::GET || question.method == Method::HEAD;
    let reading =
        |page: &dyn Fn() -> Answer| Asked::Answered(if is_read { page() } else { Answer::not_allowed(READ) });
    let thunderbird = |domain: &Domain| reading(&|| Answer::xml(autoconfig::page(&site.hostname, domain)));
    match (place, path.as_str()) {
        (Place::Policy, mta_sts::PATH) if is_attested() => {
            reading(&|| Answer::text(StatusCode::OK, mta_sts::policy(&site.hostname)))
        }
        (Place::Thunderbird(domain), autoconfig::PATH | autoconfig::WELL_KNOWN)
        | (Place::Itself(domain), autoconfig::WELL_KNOWN) => thunderbird(domain),
        (Place::Outlook(_) | Place::Itself(_), autodiscover::PATH) if question.method == Method::POST => {
            Asked::NeedsBody(autodiscover::Page::new(site))
        }
        (Place::Outlook(_) | Place::Itself(_), autodiscover::PATH) => {
            Asked::Answered(Answer::not_allowed("POST"))
        }
        _ => Asked::Answered(Answer::not_found()),
    }
}

/// Which of our names a request is for.
#[derive(Debug, PartialEq, Eq)]
enum Place<'s> {
    /// `mta-sts.<domain>`
    Policy,
    /// `autoconfig.<domain>`
    Thunderbird(&'s Domain),
    /// `autodiscover.<domain>`
    Outlook(&'s Domain),
    /// The domain's own name, or the host's, which stands for the first domain.
    Itself(&'s Domain),
}

fn place<'s>(site: &'s config::Web, host: &str) -> Option<Place<'s>> {
    let host = bare(host);
    let itself = |name: &Domain| host.eq_ignore_ascii_case(name.as_str());
    if let Some(domain) = site.domains.iter().find(|domain| itself(domain)) {
        return Some(Place::Itself(domain));
    }
    if itself(&site.hostname) {
        return site.domains.first().map(Place::Itself);
    }
    let (label, rest) = host.split_once('.')?;
    let domain = site.domains.iter().find(|domain| rest.eq_ignore_ascii_case(domain.as_str()))?;
    match label.to_ascii_lowercase().as_str() {
        mta_sts::LABEL => Some(Place::Policy),
        web_names::AUTOCONFIG => Some(Place::Thunderbird(domain)),
        web_names::AUTODISCOVER => Some(Place::Outlook(domain)),
        _ => None,
    }
}

/// A host without its port and the root's dot.
fn bare(host: &str) -> &str {
    let host = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|octet| octet.is_ascii_digit()) => name,
        _ => host,
    };
    host.trim_end_matches('.')
}

#[cfg(test)]
mod tests;
