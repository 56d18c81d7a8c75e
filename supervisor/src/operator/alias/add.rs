use crate::operator::failure::OperatorError;
use crate::operator::volume_location::VolumeLocation;
use crate::operator::{accounts_change, names, output};

/// The arguments of `alias add`.
#[derive(Debug, clap::Args)]
pub struct Add {
    /// `info` in the first domain, `info@example.net`, or `@example.net` for every address there without its own user or
    /// alias.
    alias: String,
    /// The addresses that it reaches: users, other aliases, addresses elsewhere.
    #[arg(required = true)]
    targets: Vec<String>,
}

impl Add {
    pub(super) fn run(&self, location: &VolumeLocation) -> Result<(), OperatorError> {
        let (message, confirmation) = accounts_change::change_accounts(location, |accounts| {
            let alias = names::new_alias(&self.alias, accounts)?;
            let targets: Result<Vec<_>, _> =
                self.targets.iter().map(|target| names::address(target, accounts)).collect();
            let targets = targets?;
            accounts.add_alias(&alias, targets.clone())?;
            let reached: Vec<String> = targets.iter().map(ToString::to_string).collect();
            Ok(format!("{alias} reaches {}", reached.join(", ")))
        })?;
        output::report_done(&message, confirmation)
    }
}
