//! Running commands one after the other, from the top of the repository.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The top of the repository.
pub(crate) fn repository_root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is in a folder of the repository")
}

/// A cargo command, run with the same cargo as xtask.
pub(crate) fn cargo<const N: usize>(arguments: [&str; N]) -> Step {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments);
    Step { text: format!("cargo {}", arguments.join(" ")), command }
}

/// One of the repository's own shell scripts.
pub(crate) fn script(path: &str) -> Step {
    let mut command = Command::new("bash");
    command.arg(path);
    Step { text: path.to_owned(), command }
}

/// One command and its text.
pub(crate) struct Step {
    text: String,
    command: Command,
}

impl Step {
    /// Adds an argument.
    pub(crate) fn argument(mut self, argument: &str) -> Self {
        self.text = format!("{} {argument}", self.text);
        self.command.arg(argument);
        self
    }

    /// Sets a variable for this command only.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs the command and returns its output.
    pub(crate) fn output(mut self) -> Result<String, String> {
        let output = self
            .command
            .current_dir(repository_root())
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .map_err(|error| format!("could not start `{}`: {error}", self.text))?;
        if !output.status.success() {
            return Err(format!("`{}` ended with {}", self.text, output.status));
        }
        String::from_utf8(output.stdout)
            .map_err(|_| format!("`{}` printed text that is not UTF-8", self.text))
    }

    fn run(mut self) -> Result<(), String> {
        eprintln!("xtask: {}", self.text);
        let status = self
            .command
            .current_dir(repository_root())
            .stdin(Stdio::null())
            .status()
            .map_err(|error| format!("could not start `{}`: {error}", self.text))?;
        if status.success() { Ok(()) } else { Err(format!("`{}` ended with {status}", self.text)) }
    }
}

/// Runs commands in a row, up to the first that fails.
pub(crate) fn run_all<const N: usize>(steps: [Step; N]) -> Result<(), String> {
    steps.into_iter().try_for_each(Step::run)
}

/// The path of cargo's debug build of the program, whatever the target folder is called on this machine.
pub(crate) fn mailstead_binary() -> Result<PathBuf, String> {
    let own = std::env::current_exe().map_err(|error| format!("cannot find the path of xtask: {error}"))?;
    let folder = own.parent().ok_or("xtask has no parent folder")?;
    Ok(folder.join("mailstead"))
}
