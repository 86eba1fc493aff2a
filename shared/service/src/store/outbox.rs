use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use freehold_crypto::envelope::Envelope;
use freehold_domain::email::Email;
use freehold_domain::language::Language;
use freehold_domain::mail::{Kind, LEASE, Mail, Shard, backoff};
use freehold_domain::name::DisplayName;
use freehold_domain::{Error, MailId, Timestamp, UserId};

use super::item::{Map, item};
use super::keys::{MAIL_PREFIX, shard_of};
use super::{Item, ItemType, Store, conditional, failure, number, text};

/// A mail that has not been handed over yet.
pub(crate) struct Waiting {
    /// The mail.
    pub(crate) id: MailId,
    /// When it may be tried.
    pub(crate) due_at: Timestamp,
}

/// A mail that nobody else sends until its lease ends.
pub struct Leased {
    /// The mail.
    pub mail: Mail,
    /// How often it has been tried, this time included.
    pub attempts: u32,
}

impl Store {
    /// The mails of a shard that were not handed over and not given up, oldest first.
    pub(crate) async fn waiting_mails(&self, shard: Shard) -> Result<Vec<Waiting>, Error> {
        let mut waiting = Vec::new();
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND begins_with(sk, :mail)")
            .filter_expression("attribute_exists(due_at)")
            .projection_expression("sk, due_at")
            .expression_attribute_values(":pk", text(self.keys.outbox(shard)))
            .expression_attribute_values(":mail", text(MAIL_PREFIX))
            .into_paginator()
            .items()
            .send();
        while let Some(item) = pages.next().await {
            let item = item.map_err(|error| failure("Query", &error))?;
            // One item that is not as this code writes it does not hold up the others.
            if let Some(mail) = read_waiting(&item) {
                waiting.push(mail);
            } else {
                tracing::error!(%shard, "an item of the outbox has no id of a mail, or no time at which it is due");
            }
        }
        Ok(waiting)
    }

    /// The shard of a mail whose partition key a stream names; nothing for a partition of another kind or pool.
    pub(crate) fn shard_of(&self, pk: &str) -> Option<Shard> {
        shard_of(self.keys.pool(), pk)
    }

    /// Takes a mail to send it: of any number who try, one gets it until the lease ends. Nothing, where somebody else has
    /// it or it is gone. The lease carries a name of its own, so that a write that is repeated after a lost answer knows
    /// itself.
    pub(crate) async fn lease(&self, mail: MailId, now: Timestamp) -> Result<Option<Leased>, Error> {
        let lease = MailId::new(now).to_string();
        let leased = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(self.keys.mail(mail).into_map()))
            .update_expression("SET due_at = :lease_ends, lease = :lease ADD attempts :one")
            .condition_expression("item_type = :mail AND due_at <= :now")
            .expression_attribute_values(":mail", text(ItemType::Mail.as_str()))
            .expression_attribute_values(":now", number(now.as_millis()))
            .expression_attribute_values(":lease_ends", number((now + LEASE).as_millis()))
            .expression_attribute_values(":lease", text(&lease))
            .expression_attribute_values(":one", number(1))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let leased = match conditional("UpdateItem", leased)? {
            Ok(written) => written.attributes,
            Err(seen) => seen.filter(|seen| seen.get("lease") == Some(&text(&lease))),
        };
        leased.map(|map| read_leased(map, mail)).transpose()
    }

    /// Forgets a mail: it was handed over, or there is no more use in it.
    pub(crate) async fn forget_mail(&self, mail: MailId) -> Result<(), Error> {
        let key = self.keys.mail(mail).into_map();
        let deleted = self.client.delete_item().table_name(&self.table).set_key(Some(key)).send().await;
        deleted.map(|_| ()).map_err(|error| failure("DeleteItem", &error))
    }

    /// Leaves a mail for later: the longer, the more often it failed.
    pub(crate) async fn postpone(&self, leased: &Leased, now: Timestamp) -> Result<(), Error> {
        let due_at = number((now + backoff(leased.attempts)).as_millis());
        let update = self.update_leased(leased).update_expression("SET due_at = :due_at");
        let written = update.expression_attribute_values(":due_at", due_at).send().await;
        conditional("UpdateItem", written).map(|_| ())
    }

    /// Marks a mail that can never be sent: it is due no more, and its secret goes. It stays until it expires, for whoever
    /// looks into why.
    pub(crate) async fn bury(&self, leased: &Leased) -> Result<(), Error> {
        let update = self
            .update_leased(leased)
            .update_expression("SET is_dead = :yes REMOVE due_at, sealed_secrets, sealed_metadata");
        let written = update.expression_attribute_values(":yes", AttributeValue::Bool(true)).send().await;
        conditional("UpdateItem", written).map(|_| ())
    }

    /// A change to a mail that is still leased as it was; one that somebody else has by now is theirs.
    fn update_leased(&self, leased: &Leased) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(self.keys.mail(leased.mail.id).into_map()))
            .condition_expression("attempts = :attempts")
            .expression_attribute_values(":attempts", number(leased.attempts.into()))
    }

    /// The key of a mail, for the queue that hears of those that can never be sent.
    pub(crate) fn mail_key(&self, mail: MailId) -> (String, String) {
        let key = self.keys.mail(mail);
        (key.pk, key.sk)
    }

    pub(super) fn mail_item(&self, mail: &Mail) -> Map {
        let attributes = [
            ("kind", Some(text(mail.kind.as_str()))),
            ("user_id", Some(text(mail.user.to_string()))),
            ("recipient", Some(text(mail.to.as_str()))),
            ("display_name", mail.name.as_ref().map(|name| text(name.as_str()))),
            ("language", mail.language.map(|language| text(language.tag()))),
            ("sealed_secrets", mail.sealed_secrets.as_ref().map(|sealed| text(sealed.as_str()))),
            ("is_repeated", mail.is_repeated.then_some(AttributeValue::Bool(true))),
            ("sealed_metadata", mail.sealed_metadata.as_ref().map(|sealed| text(sealed.as_str()))),
            ("due_at", Some(number(mail.id.created_at().as_millis()))),
            ("attempts", Some(number(0))),
            ("expires_at", Some(number(mail.expires_at.as_seconds()))),
        ];
        item(self.keys.mail(mail.id), ItemType::Mail, attributes)
    }
}

fn read_waiting(item: &Map) -> Option<Waiting> {
    let id = MailId::parse(item.get("sk")?.as_s().ok()?.strip_prefix(MAIL_PREFIX)?)?;
    let due_at = Timestamp::from_millis(item.get("due_at")?.as_n().ok()?.parse().ok()?);
    Some(Waiting { id, due_at })
}

fn read_leased(map: Map, id: MailId) -> Result<Leased, Error> {
    let item = Item::read(map, ItemType::Mail)?;
    let sealed = |name| item.optional_text(name).map(|text| text.map(|text| Envelope::from_stored(text.to_owned())));
    let mail = Mail {
        id,
        kind: item.parse("kind", Kind::parse)?,
        user: item.parse("user_id", UserId::parse)?,
        to: item.parse("recipient", Email::parse)?,
        name: item.optional("display_name", DisplayName::parse)?,
        language: item.optional("language", Language::parse)?,
        sealed_secrets: sealed("sealed_secrets")?,
        is_repeated: item.flag("is_repeated")?,
        sealed_metadata: sealed("sealed_metadata")?,
        expires_at: item.expires_at()?,
    };
    let attempts = u32::try_from(item.number("attempts")?).map_err(|_| item.broken("attempts"))?;
    Ok(Leased { mail, attempts })
}
