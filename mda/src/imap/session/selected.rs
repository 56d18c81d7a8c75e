use imap_proto::command::Request;

use super::authenticated::{self, Authenticated};
use super::{Outcome, Transition};
use crate::imap::reply::{Failure, Reply};
use crate::imap::selected::Selected;
use crate::imap::verb::{close, copy, expunge, fetch, idle, r#move, search, store};
use crate::imap::wire::Wire;

/// The commands of the selected state (RFC 3501 §6.4). All others are those of the authenticated state.
pub(super) async fn run(
    wire: &mut Wire,
    authenticated: &Authenticated,
    selected: &mut Selected,
    request: Request,
) -> Result<Outcome, Failure> {
    match request {
        Request::Check => {
            selected.check_for_changes().await;
            Ok(Reply::ok("CHECK completed").into())
        }
        Request::Close => close::close(selected).await,
        Request::Unselect => Ok(close::unselect()),
        Request::Expunge => expunge::run(selected, None).await,
        Request::UidExpunge(set) => expunge::run(selected, Some(set)).await,
        Request::Search(search) => search::run(wire, selected, &search).await,
        Request::Fetch(fetch) => fetch::run(wire, selected, fetch).await,
        Request::Store(store) => store::run(wire, selected, &store).await,
        Request::Copy(transfer) => copy::run(selected, &authenticated.account, &transfer).await,
        Request::Move(transfer) => r#move::run(wire, selected, &authenticated.account, &transfer).await,
        Request::Idle => idle::run(wire, Some(selected)).await,
        Request::Delete(_) | Request::Rename { .. } => {
            delete_or_rename(wire, authenticated, selected, request).await
        }
        Request::Select(_) | Request::Examine(_) => select_or_examine(wire, authenticated, request).await,
        other => authenticated::run(wire, authenticated, other).await,
    }
}

/// DELETE or RENAME of the selected mailbox deselects it; the session is not ended.
async fn delete_or_rename(
    wire: &mut Wire,
    authenticated: &Authenticated,
    selected: &Selected,
    request: Request,
) -> Result<Outcome, Failure> {
    let outcome = authenticated::run(wire, authenticated, request).await?;
    let transition = if selected.mailbox().is_gone() { Transition::Deselect } else { outcome.transition };
    Ok(Outcome { transition, ..outcome })
}

/// RFC 3501 §6.3.1: a SELECT that fails leaves no mailbox selected.
async fn select_or_examine(
    wire: &mut Wire,
    authenticated: &Authenticated,
    request: Request,
) -> Result<Outcome, Failure> {
    match authenticated::run(wire, authenticated, request).await {
        Err(Failure::Refused(reply)) => Ok(Outcome { reply, transition: Transition::Deselect }),
        outcome => outcome,
    }
}
