//! Outlook's autodiscovery, the plain old XML kind (MS-OXDSCLI §2.2.3, §2.2.4).

use address::{Address, Domain};
use handover::config;

use super::pages::Answer;

pub(super) const PATH: &str = "/autodiscover/autodiscover.xml";

const ENVELOPE: &str = "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006";
const OUTLOOK: &str = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a";

/// The page, once it is known whose settings are asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page {
    hostname: Domain,
    domains: Vec<Domain>,
}

impl Page {
    pub(super) fn new(site: &config::Web) -> Self {
        Self { hostname: site.hostname.clone(), domains: site.domains.clone() }
    }

    /// The settings for the address that the question names. Whether there is such a user is not told: the settings
    /// are the same for all.
    pub(super) fn answer(&self, question: &[u8]) -> Answer {
        let Some(address) = address_in(question) else {
            return Answer::bad_request("That is no question for an address's settings.");
        };
        if !address.domain().is_some_and(|domain| self.domains.contains(domain)) {
            return Answer::not_found();
        }
        Answer::xml(self.settings(&address))
    }

    fn settings(&self, address: &Address) -> String {
        let login = escaped(&address.to_string());
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
             <Account>\n      <AccountType>email</AccountType>\n      <Action>settings</Action>\n{}{}    </Account>\n  \
             </Response>\n</Autodiscover>\n",
            protocol("IMAP", 993),
            protocol("SMTP", 465)
        )
    }
}

/// What stands in the element `EMailAddress`. Outlook's question is always of the same form, and whatever is of another
/// is nobody's whom we could help.
fn address_in(question: &[u8]) -> Option<Address> {
    let text = str::from_utf8(question).ok()?;
    let (_, rest) = text.split_once("<EMailAddress>")?;
    let (address, _) = rest.split_once("</EMailAddress>")?;
    Address::parse(address.trim()).ok()
}

/// `&`, `<` and `>` as XML wants them; a local part may have them.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
