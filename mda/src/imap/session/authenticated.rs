use accounts::Login;
use imap_proto::command::Request;
use imap_proto::response::server;

use super::Outcome;
use crate::imap::reply::{Failure, Reply};
use crate::imap::selected::Access;
use crate::imap::verb::{
    create, delete, getquota, getquotaroot, idle, list, rename, select, status, subscribe,
};
use crate::imap::wire::Wire;
use crate::mailbox::Account;

/// An authenticated user.
#[derive(Debug, Clone)]
pub(in crate::imap) struct Authenticated {
    /// The user, and the credentials used.
    pub(in crate::imap) login: Login,
    /// The user's mail.
    pub(in crate::imap) account: Account,
}

/// The commands of the authenticated state (RFC 3501 §6.3). They are the same while a mailbox is selected.
pub(super) async fn run(
    wire: &mut Wire,
    authenticated: &Authenticated,
    request: Request,
) -> Result<Outcome, Failure> {
    let account = &authenticated.account;
    match request {
        Request::Select(name) => select::run(wire, account, &name, Access::ReadWrite).await,
        Request::Examine(name) => select::run(wire, account, &name, Access::ReadOnly).await,
        Request::Create(create) => create::run(account, &create).await,
        Request::Delete(name) => delete::run(account, &name).await,
        Request::Rename { from, to } => rename::run(account, &from, &to).await,
        Request::Subscribe(name) => subscribe::subscribe(account, &name).await,
        Request::Unsubscribe(name) => subscribe::unsubscribe(account, &name).await,
        Request::List(list) => list::list(wire, account, &list).await,
        Request::Lsub(lsub) => list::lsub(wire, account, &lsub).await,
        Request::Status(status) => status::run(wire, account, &status).await,
        Request::GetQuota(root) => getquota::run(wire, account, &root).await,
        Request::GetQuotaRoot(name) => getquotaroot::run(wire, account, &name).await,
        Request::Idle => idle::run(wire, None).await,
        // RFC 5161 §3.1: unknown extensions are ignored, and there is nothing yet that can be enabled.
        Request::Enable(_) => {
            server::enabled(wire.out(), &[]);
            Ok(Reply::ok("ENABLE completed").into())
        }
        Request::Namespace => {
            server::one_personal_namespace(wire.out());
            Ok(Reply::ok("NAMESPACE completed").into())
        }
        Request::StartTls | Request::Login(_) | Request::Authenticate(_) => {
            Ok(Reply::already_authenticated().into())
        }
        _ => Ok(Reply::no_mailbox_selected().into()),
    }
}
