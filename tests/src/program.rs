//! The path of the program under test.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The `mailstead` program. `MAILSTEAD_BIN` names an existing build; otherwise it is built, once per test process.
pub fn mailstead() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| match std::env::var_os("MAILSTEAD_BIN") {
        Some(path) => PathBuf::from(path),
        None => build(),
    })
}

fn build() -> PathBuf {
    // A test is at TARGET/debug/deps/NAME, the program at TARGET/debug/mailstead.
    let own = std::env::current_exe().expect("the system knows what runs");
    let profile = own.parent().and_then(Path::parent).expect("a test lies in deps/ of its profile's folder");
    let target = profile.parent().expect("a profile's folder lies in the target folder");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--quiet", "--locked", "--package", "supervisor", "--bin", "mailstead"])
        .arg("--manifest-path")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"))
        .arg("--target-dir")
        .arg(target)
        .status()
        .expect("cargo starts");
    assert!(status.success(), "the program does not build: {status}");
    profile.join("mailstead")
}
