/// The limits that a server announces (RFC 9422 §4). One that it does not announce, or announces in a form that cannot be
/// read, is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// The largest number of transactions in a session.
    pub mail_max: Option<usize>,
    /// The largest number of recipients of a transaction.
    pub rcpt_max: Option<usize>,
    /// The largest number of different domains among the recipients of a transaction.
    pub rcpt_domain_max: Option<usize>,
}

impl Limits {
    /// Reads `Limits-Keyword *( SP Limits-Keyword )`; keywords that are not known are ignored (RFC 9422 §3).
    pub(super) fn read<'a>(words: impl Iterator<Item = &'a str>) -> Self {
        let mut limits = Self::default();
        for word in words {
            let Some((name, value)) = word.split_once('=') else { continue };
            match name.to_ascii_uppercase().as_str() {
                "MAILMAX" => limits.mail_max = number(value),
                "RCPTMAX" => limits.rcpt_max = number(value),
                "RCPTDOMAINMAX" => limits.rcpt_domain_max = number(value),
                _ => {}
            }
        }
        limits
    }
}

/// Reads `%x31-39 0*5DIGIT` (RFC 9422 §4.1).
fn number(value: &str) -> Option<usize> {
    let is_number = (1..=6).contains(&value.len())
        && value.bytes().all(|octet| octet.is_ascii_digit())
        && !value.starts_with('0');
    is_number.then(|| value.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_of_another_form_are_ignored() {
        for (words, mail_max, rcpt_max, rcpt_domain_max) in [
            ("MAILMAX=5 RCPTMAX=100 RCPTDOMAINMAX=1", Some(5), Some(100), Some(1)),
            ("rcptmax=999999 NEW=1 WORD", None, Some(999_999), None),
            ("MAILMAX=0 RCPTMAX=-1 RCPTDOMAINMAX=1000000", None, None, None),
            ("MAILMAX RCPTMAX= RCPTDOMAINMAX=01", None, None, None),
        ] {
            let limits = Limits { mail_max, rcpt_max, rcpt_domain_max };
            assert_eq!(Limits::read(words.split(' ')), limits, "{words}");
        }
    }
}
