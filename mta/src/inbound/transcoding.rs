//! Encoding of the parts of a submission that other hosts would refuse.

use std::io;

use message::field;
use message::outline::Indexer;
use message::transcode::{Fault, Plan, Reason, Survey};
use serve::MailId;
use smtp_proto::{Reply, replies};

use super::arrival;
use crate::content::{Content, Spool, SpoolError};

/// The message as other hosts accept it, or the refusal. The original is read in pieces, and the result is spooled as an
/// arriving message is.
pub(super) async fn transcode(spool: &Spool, id: MailId, content: Content) -> Result<Content, Reply> {
    let plan = match plan(&content).await {
        Ok(Ok(plan)) => plan,
        Ok(Err(fault)) => return Err(replies::not_put_right(fault)),
        Err(error) => return Err(arrival::refusal(id, &error.into())),
    };
    let Some(offence) = plan.offence() else { return Ok(content) };
    if field::find(content.header(), "DKIM-Signature").is_some() {
        return Err(replies::not_put_right(Fault { offence, reason: Reason::Signed }));
    }
    tracing::info!(%id, %offence, "message transcoded");
    rewrite(spool, plan, &content).await.map_err(|error| arrival::refusal(id, &error))
}

async fn plan(content: &Content) -> io::Result<Result<Plan, Fault>> {
    let mut indexer = Indexer::new();
    let mut chunks = content.chunks();
    while let Some(chunk) = chunks.next().await? {
        indexer.push(&chunk);
    }
    let mut survey = Survey::new(&indexer.finish());
    let mut chunks = content.chunks();
    while let Some(chunk) = chunks.next().await? {
        survey.push(&chunk);
    }
    Ok(survey.finish())
}

async fn rewrite(spool: &Spool, plan: Plan, content: &Content) -> Result<Content, SpoolError> {
    let mut rewriter = plan.rewriter();
    let mut incoming = spool.begin();
    let mut out = Vec::new();
    let mut chunks = content.chunks();
    while let Some(chunk) = chunks.next().await? {
        rewriter.push(&chunk, &mut out);
        incoming.write(&out).await?;
        out.clear();
    }
    rewriter.finish(&mut out);
    incoming.write(&out).await?;
    incoming.finish().await
}
