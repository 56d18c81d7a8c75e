//! The reference page of the settings, made from their declarations.

use std::fmt::Write;

use super::variables;
use crate::exit::Exit;

/// The text of `docs/settings.md`.
pub(super) fn page() -> String {
    let mut page = String::from(
        "# Settings\n\n\
         All settings are environment variables. `MAIL_DOMAIN` is enough to start; with `MAIL_USERS` somebody can read\n\
         the mail. An empty value counts as not set. A wrong one, or a name that is not in this list, stops the start\n\
         with every fault in one report.\n\n\
         What may be secret can stand in a file instead: the variable with `_FILE` behind its name is the path of the\n\
         file, such as a secret of the container's engine. Set one of the two. The files are read again on SIGHUP.\n\n\
         In the file `.env` beside a compose file, ` #` begins a comment and `$` a variable, and what they begin is left\n\
         out. Put a value with one of them into single quotes: `MAIL_USERS='ann:correct $horse #1'`. Directly in\n\
         a compose file a `$` is written `$$`. `docker run --env-file` takes every line as it stands, quotes included.\n\n\
         This page is made from `supervisor/src/settings/variables.rs`.\n",
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
