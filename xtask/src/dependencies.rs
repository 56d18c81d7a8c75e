//! Rules about dependencies that no lint checks.

use crate::steps::cargo;

/// One crypto provider only: with ring in the tree beside aws-lc-rs, rustls no longer knows which one is the process's
/// default and panics at the first connection. So the tree is searched, for every platform and kind of dependency.
const REFUSED: [&str; 1] = ["ring"];

/// Fails when a refused crate is in the dependency tree.
pub(crate) fn check() -> Result<(), String> {
    eprintln!("xtask: the dependency tree contains none of {REFUSED:?}");
    let tree =
        cargo(["tree", "--locked", "--workspace", "--edges", "all", "--prefix", "none", "--format", "{p}"])
            .output()?;
    let found = refused_in(&tree);
    if found.is_empty() {
        Ok(())
    } else {
        Err(format!("refused crates in the dependency tree: {}", found.join(", ")))
    }
}

fn refused_in(tree: &str) -> Vec<String> {
    let mut found: Vec<String> = tree
        .lines()
        .filter(|line| line.split(' ').next().is_some_and(|name| REFUSED.contains(&name)))
        .map(str::to_owned)
        .collect();
    found.sort();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::refused_in;

    #[test]
    fn a_refused_crate_is_found_by_its_whole_name() {
        assert_eq!(refused_in("spring v1.0\nring v0.17.14\nring v0.17.14 (*)\n").len(), 2);
        assert!(refused_in("spring v1.0\nringbuf v0.1\n").is_empty());
    }
}
