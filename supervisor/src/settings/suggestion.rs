//! The name that was probably meant: the nearest by edit distance.

/// The one of `names` that is nearest to `typed`, if it is near enough to be a typing error.
pub(super) fn nearest<'n>(typed: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    // A third of the letters may be wrong: `MAIL_HOST_NAME` finds `MAIL_HOSTNAME`, `MAIL_FOO` finds nothing. The common
    // prefix of all names does not count.
    let own = |name: &str| name.strip_prefix("MAIL_").unwrap_or(name).to_owned();
    let typed = own(typed);
    let bearable = typed.len() / 3;
    names
        .map(|name| (distance(&typed, &own(name)), name))
        .min()
        .filter(|(distance, _)| *distance <= bearable)
        .map(|(_, name)| name)
}

/// The number of letters that must be inserted, removed or replaced to make one word of the other.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    // One row of the table at a time: `row[column]` is the distance from the read part of `from` to the first `column`
    // letters of `to`.
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (line, letter) in from.chars().enumerate() {
        let mut diagonal = line;
        row[0] = line + 1;
        for (column, other) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_counts_letters() {
        for (from, to, letters) in
            [("", "", 0), ("abc", "abc", 0), ("abc", "abd", 1), ("abc", "", 3), ("kitten", "sitting", 3)]
        {
            assert_eq!(distance(from, to), letters, "{from} to {to}");
        }
    }

    #[test]
    fn only_a_near_name_is_suggested() {
        let names = ["MAIL_DOMAIN", "MAIL_HOSTNAME", "MAIL_USERS", "MAIL_USERS_FILE", "MAIL_LOG"];
        for (typed, meant) in [
            ("MAIL_DOMIAN", Some("MAIL_DOMAIN")),
            ("MAIL_HOST_NAME", Some("MAIL_HOSTNAME")),
            ("MAIL_USER", Some("MAIL_USERS")),
            ("MAIL_GREYLISTING_DELAY", None),
            ("MAIL_FOO", None),
            ("MAIL_", None),
        ] {
            assert_eq!(nearest(typed, names.into_iter()), meant, "{typed}");
        }
    }
}
