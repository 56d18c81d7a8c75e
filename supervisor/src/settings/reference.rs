//! The reference page of the settings, made from their declarations.

use std::fmt::Write;

use super::variables;
use crate::exit::Exit;

/// The text of `docs/settings.md`.
pub(super) fn page() -> String {
    let mut page = String::from(
        "# Settings\n\n\
         All settings are environment variables. `MAIL_DOMAIN` is enough to start; `MAIL_USERS` adds users who can read\n\
         the mail. An empty value counts as not set. A wrong value, and a name that is not on this page, stop the start;\n\
         one report lists every fault.\n\n\
         A secret can be in a file instead: the variable with `_FILE` after its name is the path of the file, such as a\n\
         secret of the container's engine. Set one of the two. The files are read again on SIGHUP.\n\n\
         In the file `.env` beside a compose file, ` #` begins a comment and `$` a variable, and both are removed from\n\
         the value. Put a value with one of them into single quotes: `MAIL_USERS='ann:correct $horse #1'`. In the\n\
         compose file itself, write `$$` for `$`. `docker run --env-file` uses every line unchanged, with its quotes.\n\n\
         This page is generated from `supervisor/src/settings/variables.rs`.\n",
    );
    for variable in variables::ALL {
        let about: Vec<&str> =
            variable.about.iter().map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
        let _ = write!(
            page,
            "\n## {}\n\n{}\n\n- default: {}\n- example: `{}`\n",
            variable.name,
            about.join("\n"),
            variable.default,
            variable.example,
        );
        if let Some(form) = variable.file {
            let _ = writeln!(page, "- or in a file: `{}={}`", form.name, form.example);
        }
    }
    page.push_str("\n# Exit statuses\n\n| status | meaning |\n|---|---|\n");
    for exit in Exit::ALL {
        let _ = writeln!(page, "| {} | {} |", exit.status(), exit.meaning());
    }
    page
}
