//! Handing mail over to SES.

use freehold_domain::challenge::{MailedSecrets, Purpose};
use freehold_domain::envelope::SealedFor;
use freehold_domain::mail::{Kind, Mail, Shard};
use freehold_domain::settings::Settings;
use freehold_domain::trigger::{Metadata, Trigger};
use freehold_domain::{Error, MailId, Timestamp};
use futures::future::BoxFuture;

use crate::App;
use crate::mail::{Content, Letter, SendError, fill, link};
use crate::triggers::{custom_message, hand_to_custom_sender};

/// The shard that a partition key of a stream's record names; nothing, where it names none of this pool's.
#[must_use]
pub fn shard_of(app: &App, pk: &str) -> Option<Shard> {
    app.store.shard_of(pk)
}

/// Hands over the mails of a shard that are due. One that fails does not hold up the others: it waits for its next time,
/// and one that SES refuses for good is set aside and reported. A rare mail is sent twice, none is lost.
///
/// Says when the oldest mail was written that still waits, if one does.
///
/// # Errors
/// None but those of a table that does not answer.
pub fn drain(app: &App, shard: Shard) -> BoxFuture<'_, Result<Option<Timestamp>, Error>> {
    Box::pin(async move {
        let mut oldest = None;
        for waiting in app.store.waiting_mails(shard).await? {
            let mail = waiting.id;
            let still_waits = waiting.due_at > app.clock.now()
                || hand_over(app, mail).await.unwrap_or_else(|error| {
                    let (code, cause) = (error.code(), error.cause());
                    tracing::error!(%mail, code, cause, "a mail waits for its next time");
                    true
                });
            if still_waits {
                oldest = oldest.or(Some(mail.created_at()));
            }
        }
        Ok(oldest)
    })
}

/// Whether the mail still waits afterwards, as far as this attempt can tell.
async fn hand_over(app: &App, mail: MailId) -> Result<bool, Error> {
    let Some(leased) = app.store.lease(mail, app.clock.now()).await? else { return Ok(false) };
    if leased.mail.expires_at <= app.clock.now() {
        tracing::error!(%mail, attempts = leased.attempts, "a mail expired before it could be sent");
        app.store.forget_mail(mail).await?;
        return Ok(false);
    }
    let (settings, letter) = match prepare(app, &leased.mail).await {
        Ok(Some(prepared)) => prepared,
        Ok(None) => {
            app.store.forget_mail(mail).await?;
            return Ok(false);
        }
        Err(error) => {
            app.store.postpone(&leased, app.clock.now()).await?;
            return Err(error);
        }
    };
    match app.mailer()?.send(settings.sender.as_ref(), &leased.mail.to, &letter, leased.attempts).await {
        Ok(()) => app.store.forget_mail(mail).await?,
        Err(SendError::NotNow(code)) => {
            tracing::warn!(%mail, attempts = leased.attempts, code, "SES does not take a mail for now");
            app.store.postpone(&leased, app.clock.now()).await?;
            return Ok(true);
        }
        Err(SendError::Never(code)) => {
            tracing::error!(%mail, code, "SES refuses a mail for good");
            let (pk, sk) = app.store.mail_key(mail);
            app.mailer()?.report_dead(&pk, &sk).await?;
            app.store.bury(&leased).await?;
        }
    }
    Ok(false)
}

/// The mail, as SES is to send it; nothing, where a function of the owner's sends it.
async fn prepare(app: &App, mail: &Mail) -> Result<Option<(Settings, Letter)>, Error> {
    let settings = app.settings().await?;
    let letter = compose(app, mail, &settings).await?;
    Ok(letter.map(|letter| (settings, letter)))
}

async fn compose(app: &App, mail: &Mail, settings: &Settings) -> Result<Option<Letter>, Error> {
    let write =
        |content: &Content| app.mailer()?.templates.write(mail, content, &settings.appearance, &app.config.public_url);
    let (purpose, secrets) = match mail.kind {
        Kind::Question(purpose) => (purpose, open_secrets(app, mail, purpose).await?),
        Kind::Notice(notification) => return write(&Content::Notice(notification)).map(Some),
    };
    let has_triggers = app.has_trigger(Trigger::CustomMessage) || app.has_trigger(Trigger::CustomEmailSender);
    // Of an account that is gone there is nothing to tell a function.
    let user = if has_triggers { app.store.user(mail.user).await? } else { None };
    let Some(user) = user else { return write(&Content::Question(purpose, secrets)).map(Some) };
    let metadata = open_metadata(app, mail).await?;
    if hand_to_custom_sender(app, mail, (purpose, &secrets.code), &user, metadata.as_ref()).await? {
        return Ok(None);
    }
    let custom = custom_message(app, mail, purpose, &user, metadata.as_ref()).await?;
    let html = custom.email_message.map(|message| {
        let link = link(mail, purpose, &secrets, &app.config.public_url);
        fill(&message, &secrets.code.expose(), &link).ok_or_else(|| {
            Error::trigger_failed(Trigger::CustomMessage, "its mail has a place neither for the code nor for the link")
        })
    });
    let usual = write(&Content::Question(purpose, secrets))?;
    let subject = custom.email_subject.unwrap_or(usual.subject);
    Ok(Some(match html.transpose()? {
        Some(html) => Letter { subject, text: None, html },
        None => Letter { subject, ..usual },
    }))
}

async fn open_metadata(app: &App, mail: &Mail) -> Result<Option<Metadata>, Error> {
    let Some(sealed) = &mail.sealed_metadata else { return Ok(None) };
    let opened = app.secrets()?.open(&app.config.pool, SealedFor::MailMetadata(mail.id), sealed).await?;
    let metadata = serde_json::from_slice(&opened).map(Metadata::new);
    metadata.map(Some).map_err(|_| Error::internal("the metadata of a mail is not as it was sealed"))
}

async fn open_secrets(app: &App, mail: &Mail, purpose: Purpose) -> Result<MailedSecrets, Error> {
    let broken = || Error::internal("the secrets of a mail are not as they were sealed");
    let sealed = mail.sealed_secrets.as_ref().ok_or_else(broken)?;
    let opened = app.secrets()?.open(&app.config.pool, SealedFor::Mail(mail.id), sealed).await?;
    std::str::from_utf8(&opened).ok().and_then(|text| MailedSecrets::parse(purpose, text)).ok_or_else(broken)
}
