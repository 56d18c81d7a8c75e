//! The page for a person who sets up a mail client: the servers, and the profile for Apple's devices.

use address::Domain;

use super::profile;

pub(super) const PATH: &str = "/setup";
const TITLE: &str = "Mail set-up";

/// The page for a domain with its mail at `hostname`. It contains nothing from the request.
pub(super) fn page(hostname: &Domain, domain: &Domain) -> String {
    document(
        TITLE,
        &format!(
            "<h1>Mail for {domain}</h1>\n\
         <p>Most mail programs find the servers by themselves: enter your address and your password.</p>\n\
         <h2>iPhone, iPad and Mac</h2>\n\
         <form action=\"{path}\" method=\"get\">\n\
         <label>Your address <input type=\"email\" name=\"{field}\" required maxlength=\"254\" \
         placeholder=\"you@{domain}\" autocomplete=\"email\"></label>\n\
         <button>Download the profile</button>\n</form>\n\
         <p>Then open Settings and install the profile that was downloaded. It holds the servers and your address; the \
         device asks for the password.</p>\n\
         <h2>By hand</h2>\n\
         <table>\n<tr><th></th><th>server</th><th>port</th><th>encryption</th></tr>\n\
         <tr><td>reading (IMAP)</td><td>{hostname}</td><td>993</td><td>TLS</td></tr>\n\
         <tr><td>sending (SMTP)</td><td>{hostname}</td><td>465</td><td>TLS</td></tr>\n</table>\n\
         <p>The user name is the whole address. A program that supports only STARTTLS uses port 143 for reading and \
         port 587 for sending.</p>\n",
            path = profile::PATH,
            field = profile::ADDRESS,
        ),
    )
}

/// The page for an address that has no mail here.
pub(super) fn unknown_address() -> String {
    document(
        TITLE,
        &format!(
            "<h1>No profile</h1>\n<p>This address is not in a domain of this server. <a href=\"{PATH}\">Enter another \
         address.</a></p>\n"
        ),
    )
}

/// A page with this title and body. Both are HTML already.
pub(super) fn document(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <style>body {{ font: 1rem/1.5 sans-serif; max-width: 40rem; margin: 2rem auto; padding: 0 1rem }} \
         td, th {{ padding: 0 1rem 0 0; text-align: left }}</style>\n</head>\n<body>\n{body}</body>\n</html>\n"
    )
}
