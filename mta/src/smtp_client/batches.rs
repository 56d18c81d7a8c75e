//! The recipients of a message in as many transactions as a peer's limits require (RFC 9422 §4).

use address::{ForwardPath, Host};
use smtp_proto::client::Limits;

/// Splits the recipients, in their order, so that each part is within the limits.
pub(super) fn split(recipients: &[ForwardPath], limits: Limits) -> Vec<&[ForwardPath]> {
    let rcpt_max = limits.rcpt_max.unwrap_or(usize::MAX);
    let domain_max = limits.rcpt_domain_max.unwrap_or(usize::MAX);
    let (mut batches, mut begin, mut hosts) = (Vec::new(), 0, Vec::new());
    for (at, recipient) in recipients.iter().enumerate() {
        let host = host(recipient);
        let is_new = !hosts.contains(&host);
        if at - begin >= rcpt_max || is_new && hosts.len() >= domain_max {
            batches.push(&recipients[begin..at]);
            begin = at;
            hosts.clear();
        }
        if is_new || hosts.is_empty() {
            hosts.push(host);
        }
    }
    batches.push(&recipients[begin..]);
    batches
}

/// The domain or address literal of a recipient; `None` for the postmaster without a domain.
fn host(recipient: &ForwardPath) -> Option<&Host> {
    match recipient {
        ForwardPath::Address(address) => Some(&address.host),
        ForwardPath::Postmaster => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(recipients: &[&str], rcpt_max: Option<usize>, rcpt_domain_max: Option<usize>) -> Vec<usize> {
        let path = |text: &&str| ForwardPath::parse(&format!("<{text}>")).unwrap();
        let recipients: Vec<_> = recipients.iter().map(path).collect();
        let limits = Limits { mail_max: None, rcpt_max, rcpt_domain_max };
        let batches = split(&recipients, limits);
        assert_eq!(batches.concat(), recipients);
        batches.iter().map(|batch| batch.len()).collect()
    }

    #[test]
    fn each_transaction_is_within_the_limits() {
        let five = ["a@x.example", "b@x.example", "c@y.example", "d@y.example", "e@x.example"];
        assert_eq!(sizes(&five, None, None), [5]);
        assert_eq!(sizes(&five, Some(5), Some(2)), [5]);
        assert_eq!(sizes(&five, Some(2), None), [2, 2, 1]);
        assert_eq!(sizes(&five, Some(1), None), [1; 5]);
        assert_eq!(sizes(&five, None, Some(1)), [2, 2, 1]);
        assert_eq!(sizes(&five, Some(4), Some(2)), [4, 1]);
        assert_eq!(sizes(&["Postmaster", "a@x.example"], None, Some(1)), [1, 1]);
    }
}
