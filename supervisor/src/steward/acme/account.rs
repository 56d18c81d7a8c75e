//! The account at the authority. It is created once and kept in `acme/account-….json`, one file for each authority that
//! was ever set.

use std::io;
use std::path::{Path, PathBuf};

use address::Address;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use handover::config::{AccountBinding, Acme};
use instant_acme::{Account, AccountCredentials, Error, ExternalAccountKey, NewAccount};
use serde::{Deserialize, Serialize};

use super::error::{AcmeError, Reason, problem_type};
use super::fix;
use super::http::Http;
use crate::read_limited;

/// The account file.
#[derive(Serialize, Deserialize)]
struct StoredAccount {
    /// The contact address that was last sent to the authority.
    contact: Option<String>,
    /// The account's address and key.
    credentials: AccountCredentials,
}

/// Opens the stored account, or creates a new one.
pub(super) async fn open(folder: &Path, authority: &Acme, http: &Http) -> Result<Account, AcmeError> {
    let file = file(folder, &authority.directory);
    let contact = authority.contact.as_ref().map(|address| format!("mailto:{address}"));
    match read_limited::read_own(&file) {
        Ok(text) => match serde_json::from_slice::<StoredAccount>(&text) {
            Ok(stored) => reopen(&file, stored, contact, http).await,
            Err(error) => Err(AcmeError::Local(Reason::new(
                format!("the account in {} cannot be read: {error}", file.display()),
                format!("move the file aside, and a new account is created: mv {0} {0}.old", file.display()),
            ))),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            create(&file, authority, contact, http).await
        }
        Err(error) => Err(AcmeError::local(format!("{} cannot be read: {error}", file.display()))),
    }
}

async fn reopen(
    file: &Path,
    stored: StoredAccount,
    contact: Option<String>,
    http: &Http,
) -> Result<Account, AcmeError> {
    let account = builder(http)
        .from_credentials(copy(&stored.credentials)?)
        .await
        .map_err(|e| AcmeError::of(e, http))?;
    if stored.contact != contact {
        let contacts: Vec<&str> = contact.as_deref().into_iter().collect();
        account.update_contacts(&contacts).await.map_err(|error| of_account(error, http))?;
        store(file, &StoredAccount { contact, credentials: stored.credentials })?;
    }
    Ok(account)
}

/// Sorts an error of a request to the account's own page. A refusal there concerns the account: one that was
/// deactivated or revoked never comes back (RFC 8555 §7.3.6).
fn of_account(error: instant_acme::Error, http: &Http) -> AcmeError {
    match AcmeError::of(error, http) {
        AcmeError::Unauthorized(reason) => AcmeError::UnknownAccount(reason),
        error => error,
    }
}

/// Asks the authority if it still accepts the account's signatures, by a request to the account's own page that changes
/// nothing. `contact` is the address sent before.
pub(super) async fn is_accepted(
    account: &Account,
    contact: Option<&Address>,
    http: &Http,
) -> Result<bool, AcmeError> {
    let contact = contact.map(|address| format!("mailto:{address}"));
    let contacts: Vec<&str> = contact.as_deref().into_iter().collect();
    match account.update_contacts(&contacts).await {
        Ok(()) => Ok(true),
        // The library reports a status other than `valid` this way.
        Err(Error::Str(_)) => Ok(false),
        // An authority that was set up again may have given our account number to another key.
        Err(Error::Api(problem))
            if matches!(problem_type(&problem), "unauthorized" | "accountDoesNotExist" | "malformed") =>
        {
            Ok(false)
        }
        Err(error) => Err(AcmeError::of(error, http)),
    }
}

async fn create(
    file: &Path,
    authority: &Acme,
    contact: Option<String>,
    http: &Http,
) -> Result<Account, AcmeError> {
    let binding = authority.account_binding.as_ref().map(binding).transpose()?;
    let contacts: Vec<&str> = contact.as_deref().into_iter().collect();
    let new = NewAccount { contact: &contacts, terms_of_service_agreed: true, only_return_existing: false };
    let (account, credentials) = builder(http)
        .create(&new, authority.directory.clone(), binding.as_ref())
        .await
        .map_err(|error| of_creation(AcmeError::of(error, http), binding.is_some()))?;
    tracing::info!(authority = authority.directory, account = account.id(), "account created");
    store(file, &StoredAccount { contact, credentials })?;
    Ok(account)
}

/// Sorts an error of creating the account. The authority refuses an external account binding as `unauthorized` or
/// `malformed`, whatever was wrong with it.
fn of_creation(error: AcmeError, is_bound: bool) -> AcmeError {
    match error {
        AcmeError::Unauthorized(reason) | AcmeError::Refused(reason) if is_bound => {
            AcmeError::Refused(Reason {
                why: format!("the authority does not accept the external account binding: {}", reason.why),
                fix: Some(fix::of_binding()),
            })
        }
        AcmeError::Unauthorized(reason) => AcmeError::Refused(reason),
        error => error,
    }
}

/// Forgets an account that the authority does not know or no longer accepts, so that the next attempt creates a new
/// one. The key is kept under another name.
pub(super) fn forget(folder: &Path, directory: &str) {
    let file = file(folder, directory);
    if let Err(error) = durable::rename(&file, &file.with_extension("unknown.json")) {
        tracing::error!(%error, "cannot move the refused account aside");
    }
}

fn builder(http: &Http) -> instant_acme::AccountBuilder {
    Account::builder_with_http(Box::new(http.clone()))
}

/// The key of the external account binding (RFC 8555 §7.3.4). It comes in base64url; some authorities issue it with
/// padding.
fn binding(binding: &AccountBinding) -> Result<ExternalAccountKey, AcmeError> {
    let text = binding.key.reveal().trim();
    let key = URL_SAFE_NO_PAD.decode(text).or_else(|_| URL_SAFE.decode(text)).map_err(|_| {
        AcmeError::Local(Reason::new("MAIL_ACME_EAB_KEY is not base64url", fix::of_binding()))
    })?;
    Ok(ExternalAccountKey::new(binding.key_id.clone(), &key))
}

fn store(file: &Path, stored: &StoredAccount) -> Result<(), AcmeError> {
    let text = serde_json::to_vec_pretty(stored).map_err(|error| AcmeError::local(error.to_string()))?;
    durable::write_whole(file, &text, 0o600).map_err(|error| AcmeError::local(error.to_string()))
}

/// Copies credentials. The library consumes them and does not implement `Clone`, so they are copied through their
/// serialized form.
fn copy(credentials: &AccountCredentials) -> Result<AccountCredentials, AcmeError> {
    serde_json::to_value(credentials)
        .and_then(serde_json::from_value)
        .map_err(|error| AcmeError::local(error.to_string()))
}

fn file(folder: &Path, directory: &str) -> PathBuf {
    let digest = digest(&SHA256, directory.as_bytes());
    let id: String = digest.as_ref().iter().take(4).map(|octet| format!("{octet:02x}")).collect();
    folder.join(format!("account-{id}.json"))
}
