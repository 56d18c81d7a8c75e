use super::super::finding::{Finding, FindingId};
use super::Case;

/// The date of this version, 2026-11-01: an earlier time is wrong.
const WRITTEN: u64 = 1_793_491_200;
/// Tolerated difference: HTTP's `Date` has whole seconds and may be slightly old.
const TOLERATED: u64 = 60;
/// From about this difference, signatures of messages, certificates and DNS updates are rejected.
const SERIOUS: u64 = 300;

/// Checks the clock, on which certificates, signatures and the queue depend.
pub(super) fn check(case: &Case<'_>) -> Vec<Finding> {
    const FIX: &str = "have the machine set its clock by NTP: timedatectl set-ntp true";
    let observed = case.observed;
    if observed.at < WRITTEN {
        let cause = "the clock is years behind: it shows a time before this version was built";
        return vec![Finding::error(FindingId::ClockWrong, cause, FIX)];
    }
    let Some(ahead) = observed.ahead else { return vec![unknown(case)] };
    let difference = ahead.unsigned_abs();
    let direction = if ahead > 0 { "ahead" } else { "behind" };
    let cause = format!("the clock is {difference} seconds {direction}");
    if difference <= TOLERATED {
        Vec::new()
    } else if difference < SERIOUS {
        vec![Finding::warning(FindingId::ClockWrong, cause, FIX)]
    } else {
        vec![Finding::error(FindingId::ClockWrong, cause, FIX)]
    }
}

/// The finding if the authority's web server, the only clock to compare with, has not answered.
fn unknown(case: &Case<'_>) -> Finding {
    let why = match &case.facts.presence.acme_directory {
        Some(directory) => format!("the web server of {directory} sent no time"),
        None => "no authority is set whose web server could be asked for the time".to_owned(),
    };
    let cause = format!("the clock was not checked: {why}");
    Finding::notice(
        FindingId::NotChecked,
        cause,
        "check it by hand: `timedatectl` on the machine shows whether it is synchronised",
    )
}
