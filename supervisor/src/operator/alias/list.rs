use serde::Serialize;

use crate::operator::failure::Failure;
use crate::operator::place::Place;
use crate::operator::{revision, say, table};

/// How to show them.
#[derive(Debug, clap::Args)]
pub(super) struct List {
    /// As JSON, for scripts.
    #[arg(long)]
    json: bool,
}

/// One alias, for a script.
#[derive(Serialize)]
struct Row {
    alias: String,
    targets: Vec<String>,
    declared: bool,
}

impl List {
    pub(super) fn run(&self, place: &Place) -> Result<(), Failure> {
        let accounts = revision::look(place)?;
        let row = |alias: &accounts::Alias| Row {
            alias: alias.name.to_string(),
            targets: alias.targets.iter().map(ToString::to_string).collect(),
            declared: alias.declared,
        };
        let rows: Vec<Row> = accounts.aliases.iter().map(row).collect();
        if self.json {
            say::print_json(&rows);
            return Ok(());
        }
        let cells: Vec<[String; 3]> = rows
            .into_iter()
            .map(|row| {
                let origin = if row.declared { "MAIL_ALIASES" } else { "command" };
                [row.alias, origin.to_owned(), row.targets.join(" ")]
            })
            .collect();
        say::print(&table::text(["ALIAS", "FROM", "REACHES"], &cells));
        Ok(())
    }
}
