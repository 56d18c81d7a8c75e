/// The strongly connected components of a graph, each after all components that it leads to (Tarjan 1972), without
/// recursion. The graph lists, for each node, the nodes that it leads to. An alias is in a loop when its component has
/// other members or it leads to itself.
pub fn components(edges: &[Vec<usize>]) -> Vec<Vec<usize>> {
    const UNSEEN: usize = usize::MAX;
    let mut found = Vec::new();
    let mut order = vec![UNSEEN; edges.len()];
    let mut lowest = vec![UNSEEN; edges.len()];
    let mut is_open = vec![false; edges.len()];
    let mut open = Vec::new();
    let mut seen = 0;
    for root in 0..edges.len() {
        if order[root] != UNSEEN {
            continue;
        }
        // A node with the number of its edges that have been followed.
        let mut path = vec![(root, 0)];
        while let Some((node, edge)) = path.last_mut() {
            let node = *node;
            if *edge == 0 && order[node] == UNSEEN {
                (order[node], lowest[node], is_open[node]) = (seen, seen, true);
                open.push(node);
                seen += 1;
            }
            if let Some(next) = edges[node].get(*edge).copied() {
                *edge += 1;
                if order[next] == UNSEEN {
                    path.push((next, 0));
                } else if is_open[next] {
                    lowest[node] = lowest[node].min(order[next]);
                }
                continue;
            }
            path.pop();
            if let Some((parent, _)) = path.last() {
                lowest[*parent] = lowest[*parent].min(lowest[node]);
            }
            if lowest[node] == order[node] {
                let start = open.iter().rposition(|other| *other == node).unwrap_or(0);
                let component = open.split_off(start);
                component.iter().for_each(|member| is_open[*member] = false);
                found.push(component);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_comes_after_all_that_it_leads_to() {
        // 0 → 1 ⇄ 2 → 3, 4 → 4, 5 → 0
        let onward = vec![vec![1], vec![2], vec![1, 3], vec![], vec![4], vec![0]];
        let mut found = components(&onward);
        found.iter_mut().for_each(|component| component.sort_unstable());
        assert_eq!(found, [vec![3], vec![1, 2], vec![0], vec![4], vec![5]]);
    }

    #[test]
    fn a_chain_of_a_hundred_thousand_needs_no_stack() {
        let onward: Vec<Vec<usize>> = (1..=100_000).map(|next| vec![next % 100_000]).collect();
        assert_eq!(components(&onward).len(), 1, "it is one loop");
    }
}
