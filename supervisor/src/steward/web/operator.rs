//! The page that names the operator of the mail server and the addresses for questions and complaints. Some receivers
//! demand it, T-Online among them.

use address::Domain;

use super::setup::{self, document};
use super::xml::escaped;

pub(super) const PATH: &str = "/";

/// The page of the mail host `hostname` for a domain. `operator` are the lines of the name and address, as many as are
/// set. It contains nothing from the request.
pub(super) fn page(hostname: &Domain, domain: &Domain, operator: &[String]) -> String {
    let lines: Vec<_> = operator.iter().map(|line| escaped(line)).collect();
    let operator = match lines.as_slice() {
        [] => String::new(),
        lines => format!("<h2>Operator</h2>\n<address>{}</address>\n", lines.join("<br>\n")),
    };
    let contact = |role: &str| format!("<a href=\"mailto:{role}@{domain}\">{role}@{domain}</a>");
    document(
        hostname.as_str(),
        &format!(
            "<h1>{hostname}</h1>\n<p>This machine is a mail server.</p>\n{operator}\
             <h2>Contact</h2>\n\
             <p>Questions about mail from this server: {}</p>\n\
             <p>Complaints about unwanted mail from this server: {}</p>\n\
             <h2>Users</h2>\n<p><a href=\"{}\">Set up a mail program</a></p>\n",
            contact("postmaster"),
            contact("abuse"),
            setup::PATH,
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page_of(operator: &[&str]) -> String {
        let operator: Vec<String> = operator.iter().map(|line| (*line).to_owned()).collect();
        let domain = |name| Domain::parse(name).unwrap();
        page(&domain("mail.example.org"), &domain("example.org"), &operator)
    }

    #[test]
    fn the_operator_is_shown_as_text() {
        let page = page_of(&["Ann & Sons <script>", "+49 \"1\""]);
        assert!(page.contains("<address>Ann &amp; Sons &lt;script&gt;<br>\n+49"), "{page}");
        assert!(!page.contains("<script>"), "{page}");
    }

    #[test]
    fn without_the_setting_the_page_still_has_the_host_and_the_contacts() {
        let page = page_of(&[]);
        for part in
            ["<title>mail.example.org</title>", "mailto:postmaster@example.org", "mailto:abuse@example.org"]
        {
            assert!(page.contains(part), "{part} is not in {page}");
        }
        assert!(!page.contains("Operator"), "{page}");
    }
}
