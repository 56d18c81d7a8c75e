//! The output of the commands. Output for scripts is on standard output, and all output for people on standard error.

use std::io::{self, IsTerminal as _, Write as _};

use super::confirmation::{Effect, NotConfirmed};
use super::failure::OperatorError;

/// Prints what was done, and when it takes effect. If the daemons have not confirmed it, that is the command's failure: the
/// caller prints everything else, and returns it last.
pub(super) fn report_done(
    what: &str,
    confirmation: Result<Effect, NotConfirmed>,
) -> Result<(), OperatorError> {
    match &confirmation {
        Ok(effect) => eprintln!("{what}{}", in_effect(*effect)),
        Err(_) => eprintln!("{what}; the change is stored, but not in effect everywhere yet."),
    }
    confirmation.map(drop).map_err(OperatorError::NotConfirmed)
}

fn in_effect(effect: Effect) -> &'static str {
    match effect {
        Effect::Confirmed => ".",
        Effect::RunsElsewhere => {
            "; the server with this volume runs in another container, where the change takes effect after a SIGHUP \
             (`docker compose kill -s HUP mail`); a command that runs in that container takes effect at once (`docker \
             compose exec mail mailstead …`)."
        }
        Effect::NotRunning => "; no server runs here, so the change takes effect at the next start.",
    }
}

/// Prints a secret that is shown only once, alone on standard output.
pub(super) fn show_once(secret: &str) {
    match io::stdout().is_terminal() {
        true => eprintln!("This is shown only now:"),
        false => eprintln!("The password is on standard output, this once."),
    }
    print(&format!("{secret}\n"));
}

/// Prints the requested output.
pub(super) fn print(text: &str) {
    // The reader may be gone already.
    let _ = io::stdout().write_all(text.as_bytes());
}

/// The same for a script.
pub(super) fn print_json(value: &impl serde::Serialize) {
    let text = serde_json::to_string_pretty(value).expect("a list of structs has string keys only");
    print(&format!("{text}\n"));
}
