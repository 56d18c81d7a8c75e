//! Encoding of the parts of a message that other hosts would refuse: of a submission, or of one in binary.

use std::io;

use message::field;
use message::outline::Indexer;
use message::transcode::{Fault, Plan, Reason, Survey};
use serve::MailId;
use smtp_proto::{Reply, replies};

use super::arrival;
use crate::content::{Content, Spool, SpoolError};

/// Changes the message to what other hosts accept, or returns the refusal. The original is read in pieces, and the result
/// is spooled as an arriving message is. With `keeps_signature`, a message with a signature is refused instead.
pub(super) async fn transcode(
    spool: &Spool,
    id: MailId,
    content: &mut Content,
    keeps_signature: bool,
) -> Result<(), Reply> {
    let plan = match plan(content).await {
        Ok(Ok(plan)) => plan,
        Ok(Err(fault)) => return Err(replies::not_put_right(fault)),
        Err(error) => return Err(arrival::refusal(id, &error.into())),
    };
    let Some(offence) = plan.offence() else { return Ok(()) };
    if keeps_signature && field::find(content.header(), "DKIM-Signature").is_some() {
        return Err(replies::not_put_right(Fault { offence, reason: Reason::Signed }));
    }
    tracing::info!(%id, %offence, "message transcoded");
    *content = rewrite(spool, plan, content).await.map_err(|error| arrival::refusal(id, &error))?;
    Ok(())
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
