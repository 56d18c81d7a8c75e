//! Aliases that lead back to themselves. Each target is looked up once, and the loops are found together, so that tens of
//! thousands of aliases cost no more than reading them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use accounts::declaration::DeclaredAlias;
use accounts::{AliasKey, components};

/// Aliases that are reported. All members of a loop are repaired by breaking it once.
const MAX_REPORTED: usize = 20;

/// The aliases that lead back to themselves, each by its index and with its path.
pub(super) fn loops(aliases: &[DeclaredAlias]) -> Vec<(usize, String)> {
    let indexes: HashMap<AliasKey, usize> =
        aliases.iter().enumerate().map(|(index, alias)| (alias.name.key(), index)).collect();
    let index = |target| indexes.get(&AliasKey::from(target)).copied();
    let onward: Vec<Vec<usize>> =
        aliases.iter().map(|alias| alias.targets.iter().filter_map(index).collect()).collect();
    let is_loop = |component: &Vec<usize>| match component[..] {
        [alone] => onward[alone].contains(&alone),
        _ => true,
    };
    let mut in_loops: Vec<usize> = components(&onward).into_iter().filter(is_loop).flatten().collect();
    in_loops.sort_unstable();
    let path = |index| {
        let path: Vec<String> =
            shortest_loop(index, &onward)?.into_iter().map(|index| aliases[index].name.to_string()).collect();
        Some((index, path.join(" to ")))
    };
    in_loops.into_iter().take(MAX_REPORTED).filter_map(path).collect()
}

/// The shortest path from an alias back to it; `onward` has the targets of each alias.
fn shortest_loop(start: usize, onward: &[Vec<usize>]) -> Option<Vec<usize>> {
    // Each alias is visited once, from the one by which it was found.
    let mut before: HashMap<usize, usize> = HashMap::new();
    let mut found = vec![start];
    let mut next = 0;
    while let Some(here) = found.get(next).copied() {
        next += 1;
        for further in onward[here].iter().copied() {
            if further == start {
                let mut path: Vec<usize> =
                    std::iter::successors(Some(here), |index| before.get(index).copied()).collect();
                path.reverse();
                path.push(start);
                return Some(path);
            }
            if let Entry::Vacant(unseen) = before.entry(further) {
                unseen.insert(here);
                found.push(further);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use accounts::AliasName;

    use super::*;

    /// `alias1` leads to `alias2`, and so on; the last to `end`.
    fn chain(length: usize, end: &str) -> Vec<DeclaredAlias> {
        let parsed = |text: String| format!("{text}@example.org").parse().unwrap();
        (1..=length)
            .map(|number| DeclaredAlias {
                name: AliasName::Address(parsed(format!("alias{number}"))),
                targets: vec![parsed(if number == length {
                    end.to_owned()
                } else {
                    format!("alias{}", number + 1)
                })],
            })
            .collect()
    }

    #[test]
    fn a_long_chain_is_not_a_loop_and_is_followed_in_time() {
        assert_eq!(loops(&chain(100_000, "ann")), []);
    }

    #[test]
    fn a_long_loop_is_reported_in_part() {
        let reported = loops(&chain(2_000, "ALIAS1"));
        assert_eq!(reported.len(), MAX_REPORTED);
        assert!(reported[0].1.starts_with("alias1@example.org to alias2@example.org to "));
        assert!(reported[0].1.ends_with(" to alias2000@example.org to alias1@example.org"));
    }
}
