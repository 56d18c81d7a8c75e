//! Measures the work of every public function of `message`, `imap-proto` and `smtp-proto` on hostile input, and of
//! `accounts` on large files, at one, two and four times a size: it must not grow faster than the input.
//!
//! Work is counted and not timed. The test runs itself under Valgrind, whose Callgrind counts the instructions between
//! two calls of a function, which are the same at each run; load on the machine changes nothing. The same profile names
//! the called functions, so a public function that no shape calls fails the test too.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod profile;
mod shapes;
mod sources;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use shapes::Shape;

/// Set in the process that does the measured work.
const WORKER: &str = "MAILSTEAD_GROWTH_WORKER";

/// The sizes, as multiples of a shape's own.
const TIMES: [usize; 3] = [1, 2, 4];

/// The work at four times the size is at most this many times the work: four when it is linear, five with a logarithm,
/// sixteen when it is quadratic.
const MAX_GROWTH: u64 = 6;

/// Functions that run at compile time or on no input of a peer, which a shape need not call: there are none.
const UNCALLED: [&str; 0] = [];

#[test]
fn public_functions_take_at_most_linear_work() {
    let shapes = shapes::all();
    if std::env::var_os(WORKER).is_some() {
        return work(&shapes);
    }
    let folder = tempfile::tempdir().unwrap();
    count(folder.path());
    let mut called = BTreeSet::new();
    let mut faults = Vec::new();
    let mut number = 0;
    for shape in &shapes {
        let work = TIMES.map(|_| {
            number += 1;
            let measured = profile::read(&folder.path().join(format!("profile.{number}")));
            called.extend(measured.functions);
            measured.instructions
        });
        if work[2] > MAX_GROWTH * work[0] {
            let [one, two, four] = work;
            faults.push(format!("{}: {one}, {two}, {four} instructions", shape.name));
        }
    }
    assert!(faults.is_empty(), "work that grows faster than its input:\n{}", faults.join("\n"));
    let known = sources::public_functions();
    let missing: Vec<&String> = known
        .iter()
        .filter(|function| !called.contains(*function) && !UNCALLED.contains(&function.as_str()))
        .collect();
    assert!(missing.is_empty(), "public functions that no shape calls: {missing:#?}");
}

/// Runs this test again under Callgrind, which writes a profile at each end of [`measured`].
fn count(folder: &Path) {
    let run = Command::new("valgrind")
        .args(["--tool=callgrind", "--toggle-collect=*growth*measured*", "--dump-after=*measured*"])
        .args(["--dump-line=no", "--compress-strings=no", "--compress-pos=no"])
        .arg(format!("--callgrind-out-file={}", folder.join("profile").display()))
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "public_functions_take_at_most_linear_work"])
        .env(WORKER, "1")
        .env("RUST_BACKTRACE", "0")
        .output();
    let output = match run {
        Ok(output) => output,
        Err(error) => {
            panic!("cannot run valgrind, which counts the work: {error}; install the package valgrind")
        }
    };
    let log =
        || format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "the run under valgrind failed:\n{}", log());
}

fn work(shapes: &[Shape]) {
    for shape in shapes {
        for times in TIMES {
            measured((shape.make)(shape.size * times));
        }
    }
}

/// The function whose calls Callgrind counts.
#[inline(never)]
fn measured(work: Box<dyn FnOnce()>) {
    work();
}
