use super::super::finding::{Finding, Id};
use super::super::world::Probe;
use super::Case;

/// Whether mail can leave. Many providers close port 25 until they are asked.
pub(super) fn check(case: &Case<'_>) -> Vec<Finding> {
    let Some((host, probe)) = &case.world.probe else { return Vec::new() };
    match probe {
        Probe::Greeted(_) => Vec::new(),
        Probe::NoAddress(why) => vec![Finding::warning(
            Id::Unanswered,
            format!("whether mail can leave is not known, since {host} has no address: {why}"),
            "set MAIL_CHECK_SMTP_HOST to a host that takes mail",
        )],
        Probe::Failed(why) => {
            let cause = format!("port 25 of {host} cannot be reached: {why}");
            vec![if case.facts.presence.is_relayed {
                Finding::notice(
                    Id::Port25Blocked,
                    cause,
                    "nothing: mail leaves by the host of MAIL_RELAY_URL",
                )
            } else {
                Finding::error(
                    Id::Port25Blocked,
                    cause,
                    "ask the provider to open outgoing port 25 and see the firewall, or send through another host: \
                     MAIL_RELAY_URL=submission://user:password@smtp.example.net",
                )
            }]
        }
    }
}
