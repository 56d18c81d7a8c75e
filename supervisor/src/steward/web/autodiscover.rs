//! Outlook's autodiscovery, in the plain old XML variant (MS-OXDSCLI §2.2.3, §2.2.4), and the refusal of the variant
//! shared with ActiveSync (MS-ASCMD §2.2.1.1).

use address::{Address, Domain};
use handover::config;

use super::pages::PageResponse;
use super::xml::{self, XmlError, escaped};

pub(super) const PATH: &str = "/autodiscover/autodiscover.xml";

const ENVELOPE: &str = "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006";
const OUTLOOK: &str = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a";
const MOBILE_SYNC: &str = "http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006";

/// The page for a known domain's settings.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page {
    hostname: Domain,
    domains: Vec<Domain>,
}

/// The schema of the response that a client requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Schema {
    Outlook,
    MobileSync,
    Other,
}

/// A client's request.
#[derive(Debug, PartialEq, Eq)]
struct Request {
    /// The address as sent.
    address: String,
    schema: Schema,
}

impl Page {
    pub(super) fn new(site: &config::Web) -> Self {
        Self { hostname: site.hostname.clone(), domains: site.domains.clone() }
    }

    /// The settings for the address in the request. They are the same for every address of a domain, so the response
    /// does not reveal which users exist.
    pub(super) fn answer(&self, body: &[u8]) -> PageResponse {
        let request = match read(body) {
            Ok(request) => request,
            Err(error) => return PageResponse::bad_xml(refusal(600, &format!("Invalid Request: {error}"))),
        };
        let address = Address::parse(&request.address).ok();
        let is_ours =
            |address: &Address| address.domain().is_some_and(|domain| self.domains.contains(domain));
        match (request.schema, address) {
            (Schema::MobileSync, _) => PageResponse::xml(no_mobile_sync(&request.address)),
            (Schema::Other, _) => {
                PageResponse::xml(refusal(601, "The requested response schema is not available"))
            }
            (Schema::Outlook, Some(address)) if is_ours(&address) => {
                PageResponse::xml(self.settings(&address))
            }
            (Schema::Outlook, _) => PageResponse::xml(refusal(500, "The email address cannot be found")),
        }
    }

    fn settings(&self, address: &Address) -> String {
        let login = address.to_string();
        let login = escaped(&login);
        let protocol = |kind: &str, port: u16| {
            format!(
                "      <Protocol>\n        <Type>{kind}</Type>\n        <Server>{}</Server>\n        <Port>{port}</Port>\n        \
                 <LoginName>{login}</LoginName>\n        <SSL>on</SSL>\n        <SPA>off</SPA>\n        \
                 <AuthRequired>on</AuthRequired>\n      </Protocol>\n",
                self.hostname
            )
        };
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Autodiscover xmlns=\"{ENVELOPE}\">\n  <Response xmlns=\"{OUTLOOK}\">\n    \
             <User>\n      <DisplayName>{login}</DisplayName>\n    </User>\n    <Account>\n      <AccountType>email</AccountType>\n      <Action>settings</Action>\n{}{}    </Account>\n  \
             </Response>\n</Autodiscover>\n",
            protocol("IMAP", 993),
            protocol("SMTP", 465)
        )
    }
}

/// Reads `Autodiscover/Request` with the elements `EMailAddress` and `AcceptableResponseSchema` (MS-OXDSCLI
/// §2.2.3.1.1).
fn read(body: &[u8]) -> Result<Request, XmlError> {
    let elements = xml::elements(body)?;
    let text = |name: &str| {
        let found = elements.iter().find(|(path, _)| *path == ["Autodiscover", "Request", name]);
        found.map(|(_, text)| text.trim())
    };
    let address = text("EMailAddress").filter(|address| !address.is_empty() && is_xml(address));
    let address = address.ok_or(XmlError::Malformed)?.to_owned();
    let schema = match text("AcceptableResponseSchema") {
        None => Schema::Outlook,
        Some(schema) if schema.eq_ignore_ascii_case(OUTLOOK) => Schema::Outlook,
        Some(schema) if schema.eq_ignore_ascii_case(MOBILE_SYNC) => Schema::MobileSync,
        Some(_) => Schema::Other,
    };
    Ok(Request { address, schema })
}

/// Returns true if all characters of a text are valid in our documents (`Char` of XML 1.0 §2.2).
fn is_xml(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}'))
}

/// An error response (MS-OXDSCLI §2.2.4.1.1.3): 600 for an invalid request, 601 for a schema that is not supported, 500
/// for an unknown address.
fn refusal(code: u16, why: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Autodiscover xmlns=\"{ENVELOPE}\">\n  <Response>\n    <Error>\n      \
         <ErrorCode>{code}</ErrorCode>\n      <Message>{}</Message>\n      <DebugData />\n    </Error>\n  </Response>\n\
         </Autodiscover>\n",
        escaped(why)
    )
}

/// The refusal of ActiveSync in its own schema (MS-ASCMD §4.2.2), after which a telephone falls back to IMAP. Status 2
/// is the schema's status for errors (§2.2.3.177.1).
fn no_mobile_sync(address: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Autodiscover xmlns=\"{ENVELOPE}\">\n  <Response xmlns=\"{MOBILE_SYNC}\">\n    \
         <Culture>en:us</Culture>\n    <User>\n      <EMailAddress>{}</EMailAddress>\n    </User>\n    <Action>\n      \
         <Error>\n        <Status>2</Status>\n        <Message>ActiveSync is not offered; use IMAP</Message>\n        \
         <DebugData>MailUser</DebugData>\n      </Error>\n    </Action>\n  </Response>\n</Autodiscover>\n",
        escaped(address)
    )
}

#[cfg(test)]
mod tests;
