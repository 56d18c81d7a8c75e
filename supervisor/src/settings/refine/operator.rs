//! The person or company that operates the server, as the operator's page shows it.

use crate::settings::fault::SettingFault;
use crate::settings::raw::Raw;
use crate::settings::variables;

/// The largest number of lines: a name, a postal address and some ways of contact.
const MAX_LINES: usize = 20;
/// The longest line, in characters.
const MAX_LINE: usize = 200;

/// Refines the lines; none if the variable is not set.
///
/// `operator = line *( ( ";" / line-break ) line )`
pub(super) fn operator(raw: &mut Raw, faults: &mut Vec<SettingFault>) -> Vec<String> {
    let Some(typed) = raw.take(&variables::OPERATOR) else { return Vec::new() };
    let lines: Vec<String> = typed
        .text
        .split([';', '\n'])
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect();
    if lines.len() > MAX_LINES {
        faults.push(typed.fault(format!("has {} lines; at most {MAX_LINES} are shown", lines.len())));
    }
    for line in &lines {
        let length = line.chars().count();
        if length > MAX_LINE {
            faults.push(
                typed.fault(format!("has a line of {length} characters; at most {MAX_LINE} are shown")),
            );
        } else if line.chars().any(char::is_control) {
            faults.push(typed.fault(format!("has the line {line:?}, with a control character")));
        }
    }
    lines
}
