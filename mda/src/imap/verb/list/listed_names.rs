//! The names of a user, and the selection of those that LIST and LSUB show.

use std::collections::BTreeMap;

use imap_proto::MailboxName as ProtocolName;
use imap_proto::command::list::Select;
use imap_proto::mailbox::Pattern;
use imap_proto::response::mailbox::Attribute;

use crate::imap::names;
use crate::mailbox::{ListedMailbox, SpecialUse};
use crate::maildir::MailboxName;

/// All names: of mailboxes, of their parents, of subscriptions.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeMap<ProtocolName, Facts>);

/// The properties of one name.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    /// True if it can be selected.
    pub(super) is_mailbox: bool,
    /// True if it has mailboxes below it.
    pub(super) has_children: bool,
    /// True if it is subscribed.
    pub(super) is_subscribed: bool,
    /// True if a LIST without selection options shows it: a mailbox, or a parent of one.
    is_listed: bool,
    /// The special use of the mailbox.
    pub(super) special_use: Option<SpecialUse>,
}

/// A name as LIST shows it.
#[derive(Debug)]
pub(super) struct Listing {
    /// The name.
    pub(super) name: ProtocolName,
    /// Its properties.
    pub(super) facts: Facts,
    /// The selection options met by names below it that no pattern matches (CHILDINFO, RFC 5258 §3.5).
    pub(super) matching_below: Vec<&'static str>,
}

impl Names {
    /// The names of all mailboxes and subscriptions.
    pub(super) fn new(listed: Vec<ListedMailbox>, subscribed: &[MailboxName]) -> Self {
        let mut names = Self::default();
        for listed in listed {
            let Some(name) = names::to_protocol(&listed.name) else { continue };
            let facts = names.0.entry(name).or_default();
            facts.is_mailbox = listed.is_selectable;
            facts.has_children = listed.has_children;
            facts.is_listed = true;
            facts.special_use = listed.special_use;
        }
        for name in subscribed.iter().filter_map(names::to_protocol) {
            names.0.entry(name).or_default().is_subscribed = true;
        }
        names
    }

    /// The names that match a pattern and meet all selection options, INBOX first. With RECURSIVEMATCH also the parents
    /// of names that meet the options but match no pattern.
    pub(super) fn listed(self, patterns: &[Pattern], select: &[Select]) -> Vec<Listing> {
        let is_reached = |name: &ProtocolName| patterns.iter().any(|pattern| pattern.matches(name));
        let mut below: BTreeMap<ProtocolName, Vec<&'static str>> = BTreeMap::new();
        if select.contains(&Select::RecursiveMatch) {
            for (name, _) in self.0.iter().filter(|(name, facts)| facts.matches(select) && !is_reached(name))
            {
                for above in std::iter::successors(name.parent(), ProtocolName::parent).filter(&is_reached) {
                    below.entry(above).or_insert_with(|| criteria(select));
                }
            }
        }
        let mut listings: Vec<Listing> = Vec::new();
        for (name, facts) in self.0.into_iter().filter(|(name, _)| is_reached(name)) {
            let matching_below = below.remove(&name).unwrap_or_default();
            if facts.matches(select) || !matching_below.is_empty() {
                listings.push(Listing { name, facts, matching_below });
            }
        }
        // Parents of subscriptions alone are not among the names yet.
        let levels = below.into_iter();
        listings.extend(levels.map(|(name, matching_below)| Listing {
            name,
            facts: Facts::default(),
            matching_below,
        }));
        listings.sort_by_key(|listing| !listing.name.is_inbox());
        listings
    }
}

impl Facts {
    /// Returns true if all selection options are met (RFC 5258 §3: they narrow each other). REMOTE adds mailboxes of
    /// other servers, of which there are none.
    fn matches(&self, select: &[Select]) -> bool {
        let is_subscribed = !select.contains(&Select::Subscribed) || self.is_subscribed;
        let has_use =
            !select.contains(&Select::SpecialUse) || (self.is_mailbox && self.special_use.is_some());
        let is_base = |option: &Select| matches!(option, Select::Subscribed | Select::SpecialUse);
        is_subscribed && has_use && (self.is_listed || select.iter().any(is_base))
    }
}

/// The selection options that a name below can meet, as CHILDINFO names them.
fn criteria(select: &[Select]) -> Vec<&'static str> {
    let named = |option: &Select| match option {
        Select::Subscribed => Some("SUBSCRIBED"),
        Select::SpecialUse => Some("SPECIAL-USE"),
        Select::Remote | Select::RecursiveMatch => None,
    };
    select.iter().filter_map(named).collect()
}

/// The subscribed names that match. RFC 3501 §6.3.9: with `%`, a name that is not subscribed but is the parent of one
/// that is, and that the pattern matches, is listed with `\Noselect`.
pub(super) fn subscribed_names(
    subscribed: impl Iterator<Item = ProtocolName>,
    pattern: &Pattern,
) -> BTreeMap<ProtocolName, &'static [Attribute]> {
    let mut found: BTreeMap<ProtocolName, &'static [Attribute]> = BTreeMap::new();
    for name in subscribed {
        if pattern.matches(&name) {
            found.insert(name, &[]);
        } else if pattern.as_str().contains('%') {
            let above = std::iter::successors(name.parent(), ProtocolName::parent);
            for level in above.filter(|level| pattern.matches(level)) {
                found.entry(level).or_insert(&[Attribute::Noselect]);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text with the separator of mailbox names.
    fn divided(text: &str) -> String {
        text.replace('.', &imap_proto::mailbox::SEPARATOR.to_string())
    }

    fn subscribed(subscribed: &[&str], pattern: &str) -> Vec<(String, bool)> {
        let names = subscribed.iter().filter_map(|name| ProtocolName::new(&divided(name)));
        let pattern = Pattern::decode(divided(pattern).as_bytes()).unwrap();
        let found = subscribed_names(names, &pattern);
        found.into_iter().map(|(name, attributes)| (name.to_string(), attributes.is_empty())).collect()
    }

    /// RFC 3501 §6.3.9, its example with `foo/bar`.
    #[test]
    fn the_parent_of_a_subscription_is_listed_for_a_percent_sign_only() {
        assert_eq!(subscribed(&["foo.bar"], "%"), [("foo".to_owned(), false)]);
        assert_eq!(subscribed(&["foo.bar"], "*"), [(divided("foo.bar"), true)]);
        assert_eq!(subscribed(&["foo.bar", "foo"], "%"), [("foo".to_owned(), true)]);
        assert_eq!(subscribed(&["a.b.c"], "a.%"), [(divided("a.b"), false)]);
        assert_eq!(subscribed(&["a.b.c"], "x%"), []);
    }

    fn name(text: &str) -> MailboxName {
        MailboxName::parse(&divided(text)).unwrap()
    }

    /// A user with the mailboxes of RFC 5258 §5's second example, and the subscriptions of that example.
    fn names() -> Names {
        let mailbox = |text: &str| ListedMailbox {
            name: name(text),
            is_selectable: true,
            has_children: matches!(text, "Fruit" | "Vegetable"),
            special_use: (text == "Sent").then_some(SpecialUse::Sent),
        };
        let mailboxes = [
            "INBOX",
            "Fruit",
            "Fruit.Apple",
            "Fruit.Banana",
            "Sent",
            "Tofu",
            "Vegetable",
            "Vegetable.Broccoli",
        ];
        let subscribed =
            ["INBOX", "Fruit.Banana", "Fruit.Peach", "Vegetable", "Vegetable.Broccoli", "Gone.Deep"];
        Names::new(mailboxes.map(mailbox).into(), &subscribed.map(name))
    }

    fn listed(select: &[Select], patterns: &[&str]) -> Vec<String> {
        let patterns: Vec<Pattern> =
            patterns.iter().map(|pattern| Pattern::decode(divided(pattern).as_bytes()).unwrap()).collect();
        let shown = |listing: Listing| {
            let below = if listing.matching_below.is_empty() { "" } else { " above" };
            format!("{}{below}", listing.name)
        };
        names().listed(&patterns, select).into_iter().map(shown).collect()
    }

    #[test]
    fn subscriptions_without_a_mailbox_are_listed() {
        let expected =
            ["INBOX", "Fruit.Banana", "Fruit.Peach", "Gone.Deep", "Vegetable", "Vegetable.Broccoli"];
        assert_eq!(listed(&[Select::Subscribed], &["*"]), expected.map(divided));
    }

    #[test]
    fn several_patterns_list_a_name_once() {
        let expected = ["Fruit", "Fruit.Apple", "Fruit.Banana", "Tofu"];
        assert_eq!(listed(&[], &["F*", "Fruit.%", "Tofu"]), expected.map(divided));
    }

    #[test]
    fn selection_options_are_combined_by_and() {
        assert_eq!(listed(&[Select::SpecialUse], &["*"]), ["Sent"]);
        assert_eq!(listed(&[Select::SpecialUse, Select::Subscribed], &["*"]), Vec::<String>::new());
    }

    /// RFC 5258 §3.5, and its example 9: a name is listed for its children only where no pattern matches these.
    #[test]
    fn parents_of_matching_names_are_listed_where_no_pattern_matches_these() {
        let recursive = [Select::Subscribed, Select::RecursiveMatch];
        assert_eq!(listed(&recursive, &["%"]), ["INBOX", "Fruit above", "Vegetable above", "Gone above"]);
        let whole = ["INBOX", "Fruit.Banana", "Fruit.Peach", "Gone.Deep", "Vegetable", "Vegetable.Broccoli"];
        assert_eq!(listed(&recursive, &["*"]), whole.map(divided));
        assert_eq!(
            listed(&recursive, &["Vegetable", "Vegetable.Broccoli"]),
            [divided("Vegetable"), divided("Vegetable.Broccoli")]
        );
    }
}
