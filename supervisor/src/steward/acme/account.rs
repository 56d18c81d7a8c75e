//! The account at the authority: made once, kept in `acme/account-….json`, one for each authority that was ever set.

use std::io;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use handover::config::{AccountBinding, Acme};
use instant_acme::{Account, AccountCredentials, ExternalAccountKey, NewAccount};
use serde::{Deserialize, Serialize};

use super::http::Http;
use super::trouble::Trouble;
use crate::read_limited;

/// The file.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// Whom the authority writes to, as it was told.
    contact: Option<String>,
    /// Where and who we are there, with the account's key.
    credentials: AccountCredentials,
}

/// The account: the one that is kept, or a new one.
pub(super) async fn open(folder: &Path, authority: &Acme, http: &Http) -> Result<Account, Trouble> {
    let file = file(folder, &authority.directory);
    let contact = authority.contact.as_ref().map(|address| format!("mailto:{address}"));
    match read_limited::own(&file) {
        Ok(text) => match serde_json::from_slice::<Kept>(&text) {
            Ok(kept) => reopen(&file, kept, contact, http).await,
            Err(error) => Err(Trouble::Ours(format!(
                "the account in {} cannot be read: {error}; move the file away to have a new account made",
                file.display()
            ))),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            create(&file, authority, contact, http).await
        }
        Err(error) => Err(Trouble::Ours(format!("{} cannot be read: {error}", file.display()))),
    }
}

async fn reopen(file: &Path, kept: Kept, contact: Option<String>, http: &Http) -> Result<Account, Trouble> {
    let account =
        builder(http).from_credentials(copy(&kept.credentials)?).await.map_err(|e| Trouble::of(e, http))?;
    if kept.contact != contact {
        let contacts: Vec<&str> = contact.as_deref().into_iter().collect();
        account.update_contacts(&contacts).await.map_err(|e| Trouble::of(e, http))?;
        keep(file, &Kept { contact, credentials: kept.credentials })?;
    }
    Ok(account)
}

async fn create(
    file: &Path,
    authority: &Acme,
    contact: Option<String>,
    http: &Http,
) -> Result<Account, Trouble> {
    let binding = authority.account_binding.as_ref().map(binding).transpose()?;
    let contacts: Vec<&str> = contact.as_deref().into_iter().collect();
    let new = NewAccount { contact: &contacts, terms_of_service_agreed: true, only_return_existing: false };
    let (account, credentials) = builder(http)
        .create(&new, authority.directory.clone(), binding.as_ref())
        .await
        .map_err(|error| Trouble::of(error, http))?;
    tracing::info!(
        authority = authority.directory,
        account = account.id(),
        "made an account at the authority"
    );
    keep(file, &Kept { contact, credentials })?;
    Ok(account)
}

/// Forgets the account, which the authority says it does not know: the next try makes a new one. The key is kept under
/// another name.
pub(super) fn forget(folder: &Path, directory: &str) {
    let file = file(folder, directory);
    if let Err(error) = durable::rename(&file, &file.with_extension("unknown.json")) {
        tracing::error!(%error, "the account that the authority does not know cannot be moved away");
    }
}

fn builder(http: &Http) -> instant_acme::AccountBuilder {
    Account::builder_with_http(Box::new(http.clone()))
}

/// RFC 8555 §7.3.4: the key comes in base64url; some authorities hand it out with padding.
fn binding(binding: &AccountBinding) -> Result<ExternalAccountKey, Trouble> {
    let text = binding.key.reveal().trim();
    let key = URL_SAFE_NO_PAD.decode(text).or_else(|_| URL_SAFE.decode(text)).map_err(|_| {
        Trouble::Ours("MAIL_ACME_EAB_KEY is not base64url; copy it as the authority shows it".to_owned())
    })?;
    Ok(ExternalAccountKey::new(binding.key_id.clone(), &key))
}

fn keep(file: &Path, kept: &Kept) -> Result<(), Trouble> {
    let text = serde_json::to_vec_pretty(kept).map_err(|error| Trouble::Ours(error.to_string()))?;
    durable::write_whole(file, &text, 0o600).map_err(|error| Trouble::Ours(error.to_string()))
}

/// The library takes the credentials and gives nothing back, and lets nobody copy them but through their text.
fn copy(credentials: &AccountCredentials) -> Result<AccountCredentials, Trouble> {
    serde_json::to_value(credentials)
        .and_then(serde_json::from_value)
        .map_err(|error| Trouble::Ours(error.to_string()))
}

fn file(folder: &Path, directory: &str) -> PathBuf {
    let digest = digest(&SHA256, directory.as_bytes());
    let id: String = digest.as_ref().iter().take(4).map(|octet| format!("{octet:02x}")).collect();
    folder.join(format!("account-{id}.json"))
}
