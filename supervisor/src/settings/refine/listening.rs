//! The web's ports, and the host that is used to check that port 25 is open.

use super::is_none;
use crate::settings::fault::SettingFault;
use crate::settings::host_and_port::HostAndPort;
use crate::settings::raw::Raw;
use crate::settings::variables::{self, Variable};

/// The web's ports.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ports {
    pub(super) http: Option<u16>,
    pub(super) https: Option<u16>,
}

/// Ports that mail and health checks use.
const TAKEN: [u16; 8] = [25, 143, 465, 587, 993, 995, 4190, 8025];

/// Refines the web's ports.
pub(super) fn ports(raw: &mut Raw, faults: &mut Vec<SettingFault>) -> Ports {
    let http = port(raw, &variables::HTTP_PORT, 80, faults);
    let https = port(raw, &variables::HTTPS_PORT, 443, faults);
    if http.is_some() && http == https {
        faults.push(SettingFault::of(&variables::HTTPS_PORT, "is the same as MAIL_HTTP_PORT"));
    }
    Ports { http, https }
}

fn port(raw: &mut Raw, variable: &Variable, default: u16, faults: &mut Vec<SettingFault>) -> Option<u16> {
    let Some(typed) = raw.take(variable) else { return Some(default) };
    if is_none(&typed.text) {
        return None;
    }
    let wrong = match typed.trimmed().parse::<u16>() {
        Ok(port) if TAKEN.contains(&port) => format!("is {port}, a port that mail or health is served on"),
        Ok(port) if port != 0 => return Some(port),
        _ => format!("is {:?}, which is neither a port nor `none`", typed.text),
    };
    faults.push(typed.fault(wrong));
    None
}

/// A large provider's host, which is always up and blocks no client for connecting.
const CHECK_SMTP_HOST: &str = "gmail-smtp-in.l.google.com";

/// The host whose port 25 is tried, to check that mail can leave.
pub(super) fn check_smtp_host(raw: &mut Raw, faults: &mut Vec<SettingFault>) -> Option<HostAndPort> {
    let Some(typed) = raw.take(&variables::CHECK_SMTP_HOST) else {
        return HostAndPort::parse_with(CHECK_SMTP_HOST, 25);
    };
    if is_none(&typed.text) {
        return None;
    }
    let host = HostAndPort::parse_with(typed.trimmed(), 25);
    if host.is_none() {
        let wrong = format!("is {:?}, which is neither a host with or without a port nor `none`", typed.text);
        faults.push(typed.fault(wrong));
    }
    host
}
