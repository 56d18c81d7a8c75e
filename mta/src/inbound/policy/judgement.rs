//! The verdict on a message, from the results of the checks and the actions of the settings.

use handover::config::PolicyAction;
use message::compose;
use message::forged::POLICY_FIELD;
use smtp_proto::Reply;

use super::check::{self, Check, CheckResult, Refusal};
use crate::checks::AuthResult;
use crate::site::Settings;

/// Longest explanation in the field, in characters: peers choose the names in it.
const MAX_EXPLANATION: usize = 400;

/// The verdict on a message, the worst last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is delivered.
    Accept,
    /// It is delivered to the Junk mailbox.
    Junk,
    /// It is refused for now.
    Defer(Reply),
    /// It is refused.
    Reject(Reply),
}

/// The results of the checks and what follows from them.
#[derive(Clone, Debug)]
pub(crate) struct Judgement {
    results: Vec<CheckResult>,
    decision: Decision,
}

#[derive(Clone, Debug)]
enum Decision {
    Accept,
    Junk(Check),
    Refuse { check: Check, is_lasting: bool, refusal: Refusal },
}

impl Judgement {
    /// Judges by the results, which are in the order of the checks: the first refusal counts.
    pub(super) fn new(settings: &Settings, results: Vec<CheckResult>) -> Self {
        let is_outage = settings.resolver.is_in_outage();
        let policy = &settings.config.policy;
        let mut decision = Decision::Accept;
        for result in &results {
            let action = policy.action(result.check).min(result.at_most);
            let refuse = |is_lasting| match &result.refusal {
                Some(refusal) => {
                    Decision::Refuse { check: result.check, is_lasting, refusal: refusal.clone() }
                }
                None => Decision::Accept,
            };
            let next = match (result.result, action) {
                (AuthResult::Fail, PolicyAction::Reject) => refuse(true),
                (AuthResult::Fail, PolicyAction::Junk) => Decision::Junk(result.check),
                // While no name server answers at all, waiting would keep all mail out.
                (AuthResult::TempError, PolicyAction::Reject) if !is_outage => refuse(false),
                _ => Decision::Accept,
            };
            decision = decision.worse(next);
        }
        Self { results, decision }
    }

    /// The verdict for a recipient at which nothing is exempt. `contact` is the address at which the peer may ask.
    pub(crate) fn verdict(&self, contact: &str) -> Verdict {
        match &self.decision {
            Decision::Accept => Verdict::Accept,
            Decision::Junk(_) => Verdict::Junk,
            Decision::Refuse { is_lasting: true, refusal, .. } => {
                Verdict::Reject(refusal.reply(true, contact))
            }
            Decision::Refuse { is_lasting: false, refusal, .. } => {
                Verdict::Defer(refusal.reply(false, contact))
            }
        }
    }

    /// The check that decided, and the name of the verdict.
    pub(crate) fn decision(&self) -> (Option<Check>, &'static str) {
        match &self.decision {
            Decision::Accept => (None, "accept"),
            Decision::Junk(check) => (Some(*check), "junk"),
            Decision::Refuse { check, is_lasting: true, .. } => (Some(*check), "reject"),
            Decision::Refuse { check, is_lasting: false, .. } => (Some(*check), "defer"),
        }
    }

    /// The field for a person who wonders why a message is where it is: the verdict, then what each check found.
    pub(crate) fn field(&self, is_junk: bool) -> String {
        let verdict = if is_junk { "junk" } else { "accepted" };
        let findings = self.results.iter().map(|result| {
            let subject = check::subject(result.check);
            let explanation: String = result.explanation.chars().take(MAX_EXPLANATION).collect();
            format!("; {subject} {}: {}", result.result.name(), explanation.replace(';', ","))
        });
        compose::field(POLICY_FIELD, &findings.fold(verdict.to_owned(), |text, finding| text + &finding))
    }

    /// The results in one line for the log: `rdns=pass fcrdns=fail`.
    pub(crate) fn summary(&self) -> String {
        let parts =
            self.results.iter().map(|result| format!("{}={}", result.check.name(), result.result.name()));
        parts.collect::<Vec<_>>().join(" ")
    }
}

impl Decision {
    fn rank(&self) -> u8 {
        match self {
            Self::Accept => 0,
            Self::Junk(_) => 1,
            Self::Refuse { is_lasting: false, .. } => 2,
            Self::Refuse { is_lasting: true, .. } => 3,
        }
    }

    /// The worse of two decisions; the first of two equal ones.
    fn worse(self, other: Self) -> Self {
        if other.rank() > self.rank() { other } else { self }
    }
}
