//! The policy for mail from other hosts.

use address::Domain;
use handover::config::{Policy, PolicyAction, PolicyCheck};

use super::{pieces, zones};
use crate::settings::fault::SettingFault;
use crate::settings::raw::{Raw, RawValue};
use crate::settings::suggestion::nearest;
use crate::settings::variables;

/// Each list is a query for every connection.
const MAX_BLOCKLISTS: usize = 8;

/// The actions and their names.
const ACTIONS: [(&str, PolicyAction); 3] =
    [("reject", PolicyAction::Reject), ("junk", PolicyAction::Junk), ("off", PolicyAction::Off)];

/// The policy and its blocklists.
pub(super) fn policy(raw: &mut Raw, faults: &mut Vec<SettingFault>) -> Policy {
    let typed = raw.take(&variables::POLICY);
    let mut policy = match &typed {
        Some(typed) => read(typed, faults),
        None => Policy::default(),
    };
    if let Some(typed) = raw.take(&variables::POLICY_BLOCKLISTS) {
        policy.blocklists = blocklists(&typed, policy.blocklist, faults);
    }
    policy
}

/// `policy = [ action ] *( "," check "=" action )`.
fn read(typed: &RawValue, faults: &mut Vec<SettingFault>) -> Policy {
    let mut base: Option<(&str, PolicyAction)> = None;
    let mut exceptions: Vec<(PolicyCheck, PolicyAction)> = Vec::new();
    for piece in pieces(&typed.text) {
        let read = match piece.split_once('=') {
            None => action(piece).and_then(|action| match base.replace((piece, action)) {
                Some((other, _)) => Err(format!("has both {other:?} and {piece:?} in it; keep one of them")),
                None => Ok(()),
            }),
            Some((check, word)) => exception(check.trim(), word.trim()).and_then(|exception| {
                if exceptions.iter().any(|(other, _)| *other == exception.0) {
                    return Err(format!("has {} in it twice; keep one of them", exception.0.name()));
                }
                exceptions.push(exception);
                Ok(())
            }),
        };
        faults.extend(read.err().map(|wrong| typed.fault(wrong)));
    }
    let mut policy = base.map_or_else(Policy::default, |(_, action)| Policy::uniform(action));
    for (check, action) in exceptions {
        policy.set_action(check, action);
    }
    if policy.fcrdns > policy.rdns {
        let (rdns, fcrdns) = (word(policy.rdns), word(policy.fcrdns));
        faults.push(typed.fault(format!(
            "means rdns={rdns} and fcrdns={fcrdns}: a host with a wrong name would be treated worse than one without a \
             name; write fcrdns={rdns} as well"
        )));
    }
    policy
}

fn exception(name: &str, word: &str) -> Result<(PolicyCheck, PolicyAction), String> {
    let Some(check) = check(name) else {
        let names = PolicyCheck::ALL.map(PolicyCheck::name);
        let meant = match nearest(name, names.into_iter()) {
            Some(meant) => format!("did you mean {meant}?"),
            None => format!("the checks are {}", names.join(", ")),
        };
        return Err(format!("has {name:?} in it, which is not a check; {meant}"));
    };
    Ok((check, action(word)?))
}

fn check(name: &str) -> Option<PolicyCheck> {
    PolicyCheck::ALL.into_iter().find(|check| check.name().eq_ignore_ascii_case(name))
}

fn action(word: &str) -> Result<PolicyAction, String> {
    let known = ACTIONS.iter().find(|(name, _)| name.eq_ignore_ascii_case(word));
    known.map(|(_, action)| *action).ok_or_else(|| {
        let names = ACTIONS.iter().map(|(name, _)| *name);
        match (check(word).is_some(), nearest(word, names)) {
            (true, _) => format!("has {word:?} in it without an action; write {word}=reject, =junk or =off"),
            (false, Some(meant)) => format!("has {word:?} in it; did you mean {meant}?"),
            (false, None) => format!("has {word:?} in it, which is neither reject nor junk nor off"),
        }
    })
}

/// The word for an action.
fn word(action: PolicyAction) -> &'static str {
    ACTIONS.iter().find(|(_, known)| *known == action).map_or("", |(name, _)| name)
}

/// The policy in the fewest words.
pub(in crate::settings) fn written(policy: &Policy) -> String {
    let written = ACTIONS.map(|(name, action)| {
        let base = Policy::uniform(action);
        let mut text = vec![name.to_owned()];
        for check in PolicyCheck::ALL {
            let action = policy.action(check);
            if action != base.action(check) {
                text.push(format!("{}={}", check.name(), word(action)));
            }
        }
        text
    });
    written.into_iter().min_by_key(Vec::len).unwrap_or_default().join(",")
}

fn blocklists(typed: &RawValue, action: PolicyAction, faults: &mut Vec<SettingFault>) -> Vec<Domain> {
    let zones = zones::blocklists(typed, faults);
    if zones.len() > MAX_BLOCKLISTS {
        faults.push(typed.fault(format!(
            "has {} lists in it; at most {MAX_BLOCKLISTS} are possible, since each is a query for every connection",
            zones.len()
        )));
    }
    if !zones.is_empty() && action == PolicyAction::Off {
        faults.push(typed.fault(
            "is set, but MAIL_POLICY turns the check off; remove it, or write blocklist=reject in MAIL_POLICY",
        ));
    }
    zones
}
