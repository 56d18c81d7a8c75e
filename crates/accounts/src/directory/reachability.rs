//! The final recipients of all aliases of a file at once.
//!
//! Aliases that lead to aliases are a graph. Walking it from each alias would cost the square of the file's size, so
//! its strongly connected components are found first, with Tarjan's algorithm, which yields each component after all
//! that it leads to. The addresses that a component reaches are then the union of its own and of theirs, and only as
//! many of them are kept as show that there are too many.

use std::collections::HashMap;
use std::rc::Rc;

use address::Address;

use super::entries::{Destination, Entries};
use crate::{Alias, User, components};

/// The most addresses that one alias may reach: each message to it is copied once for each. A longer list needs a
/// program that manages mailing lists.
pub(crate) const MAX_REACHED: usize = 500;

/// The result for one alias.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reachability {
    /// It reaches a user or an address elsewhere.
    Recipients,
    /// It reaches disabled users only.
    DisabledOnly,
    /// It reaches no address, or only itself.
    NoRecipient,
    /// It reaches more than [`MAX_REACHED`] addresses.
    TooMany,
}

/// The results for these aliases, in their order.
pub(crate) fn reachability(entries: &Entries, aliases: &[Alias]) -> Vec<Reachability> {
    let graph = Graph::new(entries, aliases);
    let mut ends = vec![Reachability::NoRecipient; aliases.len()];
    let mut reach = ReachedSets::new(&graph);
    for component in components(&graph.edges) {
        let end = reach.reachability_of(&component);
        component.into_iter().for_each(|alias| ends[alias] = end);
    }
    ends
}

/// The number of a user or an address elsewhere.
type Number = u32;

/// The aliases with their targets resolved.
struct Graph {
    /// The aliases that each alias leads to.
    edges: Vec<Vec<usize>>,
    /// The users and addresses elsewhere that each alias has among its targets.
    own: Vec<Vec<Number>>,
    /// True for an alias that has a disabled user among its targets.
    has_disabled: Vec<bool>,
}

impl Graph {
    fn new(entries: &Entries, aliases: &[Alias]) -> Self {
        #[derive(PartialEq, Eq, Hash)]
        enum Reached<'a> {
            User(&'a User),
            Remote(&'a Address),
        }
        let mut numbers = HashMap::new();
        let mut graph = Self {
            edges: vec![Vec::new(); aliases.len()],
            own: vec![Vec::new(); aliases.len()],
            has_disabled: vec![false; aliases.len()],
        };
        for (alias, Alias { targets, .. }) in aliases.iter().enumerate() {
            for target in targets {
                let reached = match entries.destination(target) {
                    Destination::User(user) => Reached::User(user),
                    Destination::Remote => Reached::Remote(target),
                    Destination::Alias { index, .. } => {
                        graph.edges[alias].push(index);
                        continue;
                    }
                    Destination::Disabled => {
                        graph.has_disabled[alias] = true;
                        continue;
                    }
                    Destination::Unknown => continue,
                };
                let next = Number::try_from(numbers.len()).unwrap_or(Number::MAX);
                graph.own[alias].push(*numbers.entry(reached).or_insert(next));
            }
        }
        graph
    }
}

/// The addresses reached by the components visited so far.
struct ReachedSets<'g> {
    graph: &'g Graph,
    /// The addresses that each alias reaches, sorted, kept while aliases that lead to it are still to be visited. They
    /// are shared by aliases that reach the same.
    sets: Vec<Rc<Vec<Number>>>,
    /// The aliases that reach a disabled user.
    reaches_disabled: Vec<bool>,
    /// The number of targets in the file that are this alias and have not been visited.
    unvisited_references: Vec<usize>,
}

impl<'g> ReachedSets<'g> {
    fn new(graph: &'g Graph) -> Self {
        let mut led_to = vec![0; graph.edges.len()];
        graph.edges.iter().flatten().for_each(|further| led_to[*further] += 1);
        let nothing = Rc::new(Vec::new());
        Self {
            graph,
            sets: vec![nothing; graph.edges.len()],
            reaches_disabled: vec![false; graph.edges.len()],
            unvisited_references: led_to,
        }
    }

    /// Visits a component. Those that it leads to have been visited before.
    fn reachability_of(&mut self, component: &[usize]) -> Reachability {
        let mut set: Rc<Vec<Number>> = Rc::new(Vec::new());
        let mut reaches_disabled = false;
        for alias in component {
            set = union(set, &Rc::new(sorted(&self.graph.own[*alias])));
            reaches_disabled |= self.graph.has_disabled[*alias];
            for further in &self.graph.edges[*alias] {
                // An alias of this same component has an empty set so far.
                set = union(set, &self.sets[*further]);
                reaches_disabled |= self.reaches_disabled[*further];
                self.unvisited_references[*further] -= 1;
                if self.unvisited_references[*further] == 0 {
                    self.sets[*further] = Rc::default();
                }
            }
        }
        for alias in component.iter().filter(|alias| self.unvisited_references[**alias] > 0) {
            self.sets[*alias] = set.clone();
            self.reaches_disabled[*alias] = reaches_disabled;
        }
        match set.len() {
            0 if reaches_disabled => Reachability::DisabledOnly,
            0 => Reachability::NoRecipient,
            reached if reached > MAX_REACHED => Reachability::TooMany,
            _ => Reachability::Recipients,
        }
    }
}

fn sorted(numbers: &[Number]) -> Vec<Number> {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    sorted.truncate(MAX_REACHED + 1);
    sorted
}

/// The union of two sorted sets, cut off at one more than are allowed.
fn union(one: Rc<Vec<Number>>, other: &Rc<Vec<Number>>) -> Rc<Vec<Number>> {
    if other.is_empty() || Rc::ptr_eq(&one, other) || one.len() > MAX_REACHED {
        return one;
    }
    if one.is_empty() {
        return other.clone();
    }
    Rc::new(sorted(&[one.as_slice(), other.as_slice()].concat()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_union_is_truncated_above_the_limit() {
        let set = |numbers: std::ops::Range<u32>| Rc::new(numbers.collect::<Vec<_>>());
        assert_eq!(union(set(0..300), &set(200..400)).len(), 400);
        assert_eq!(union(set(0..400), &set(300..900)).len(), MAX_REACHED + 1);
    }
}
