use aws_sdk_dynamodb::operation::update_item::UpdateItemOutput;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use freehold_crypto::token::SecretHash;
use freehold_domain::session::{Device, Factor, Session};
use freehold_domain::user::User;
use freehold_domain::{Error, SessionId, Timestamp, UserId};

use super::client::SeenInstead;
use super::item::{Map, item};
use super::{Item, ItemType, Store, bytes, conditional, failure, number, text};

/// What became of a write that was conditional on a session as it was read.
pub enum Written<T> {
    /// It was written: what is there now.
    Done(T),
    /// The session is no longer so. It is now as it is here; or there is none.
    Lost(Option<Session>),
}

/// How many sessions are listed at most.
const MAX_LISTED: usize = 100;

impl Store {
    /// Writes a new session. Its id is new, so a write that meets it is this very one, repeated after a lost answer.
    pub(crate) async fn begin_session(&self, session: &Session) -> Result<(), Error> {
        let written = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(self.session_item(session)))
            .condition_expression("attribute_not_exists(pk)")
            .send()
            .await;
        conditional("PutItem", written).map(|_| ())
    }

    /// A session that has not ended.
    pub(crate) async fn session(&self, user: UserId, id: SessionId, now: Timestamp) -> Result<Option<Session>, Error> {
        let item = self.get(self.keys.session(user, id), ItemType::Session).await?;
        let session = item.map(|item| read_session(&item, user, id)).transpose()?;
        Ok(session.filter(|session| session.expires_at > now))
    }

    /// The sessions of a user that have not ended, newest first, and no more of them than a person reads.
    pub(crate) async fn sessions(&self, user: &User, now: Timestamp) -> Result<Vec<Session>, Error> {
        let first = self.keys.session_prefix(user.id);
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .scan_index_forward(false)
            .key_condition_expression("pk = :pk AND begins_with(sk, :session)")
            .expression_attribute_values(":pk", text(first.pk))
            .expression_attribute_values(":session", text(&first.sk))
            .into_paginator()
            .items()
            .send();
        let mut sessions = Vec::new();
        while sessions.len() < MAX_LISTED
            && let Some(map) = pages.next().await
        {
            let item = Item::read(map.map_err(|error| failure("Query", &error))?, ItemType::Session)?;
            let id = item.parse("sk", |sk| SessionId::parse(sk.strip_prefix(&first.sk)?))?;
            let session = read_session(&item, user.id, id)?;
            if session.expires_at > now && session.is_of(user) {
                sessions.push(session);
            }
        }
        Ok(sessions)
    }

    /// Puts `next` in the place of `current`, which becomes the previous one: of any number of requests that present
    /// `current`, one does this.
    pub(crate) async fn rotate(
        &self,
        (user, id): (UserId, SessionId),
        current: &SecretHash,
        next: &SecretHash,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<Written<Session>, Error> {
        let update = self
            .update_session(user, id, next, expires_at, now)
            .update_expression(
                "SET current_hash = :next, previous_hash = :current, rotated_at = :rotated_at, recoveries = :none, \
                 expires_at = :expires_at",
            )
            .condition_expression("item_type = :session AND current_hash = :current AND expires_at > :now")
            .expression_attribute_values(":current", bytes(current.as_bytes()))
            .expression_attribute_values(":none", number(0))
            .expression_attribute_values(":now", number(now.as_seconds()));
        updated(conditional("UpdateItem", update.send().await)?, user, id)
    }

    /// Puts `next` in the place of a current secret that its owner never received. The previous one stays.
    pub(crate) async fn recover(
        &self,
        seen: &Session,
        next: &SecretHash,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<Written<Session>, Error> {
        let update = self
            .update_session(seen.user, seen.id, next, expires_at, now)
            .update_expression(
                "SET current_hash = :next, rotated_at = :rotated_at, recoveries = :recoveries, expires_at = :expires_at",
            )
            .condition_expression("item_type = :session AND current_hash = :current AND recoveries = :seen_recoveries")
            .expression_attribute_values(":current", bytes(seen.current.as_bytes()))
            .expression_attribute_values(":seen_recoveries", number(seen.recoveries.into()))
            .expression_attribute_values(":recoveries", number(u64::from(seen.recoveries) + 1));
        updated(conditional("UpdateItem", update.send().await)?, seen.user, seen.id)
    }

    /// Ends a session that a thief is in, if it is still as it was seen.
    pub(crate) async fn end_stolen_session(&self, seen: &Session) -> Result<Written<()>, Error> {
        let deleted = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(self.keys.session(seen.user, seen.id).into_map()))
            .condition_expression("current_hash = :current AND recoveries = :recoveries")
            .expression_attribute_values(":current", bytes(seen.current.as_bytes()))
            .expression_attribute_values(":recoveries", number(seen.recoveries.into()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match conditional("DeleteItem", deleted)? {
            Ok(_) => Ok(Written::Done(())),
            Err(instead) => Ok(Written::Lost(read_seen(instead, seen.user, seen.id)?)),
        }
    }

    /// Ends a session, whatever it is like; one that has ended stays so.
    pub(crate) async fn end_session(&self, user: UserId, id: SessionId) -> Result<(), Error> {
        let key = self.keys.session(user, id).into_map();
        let deleted = self.client.delete_item().table_name(&self.table).set_key(Some(key)).send().await;
        deleted.map(|_| ()).map_err(|error| failure("DeleteItem", &error))
    }

    fn update_session(
        &self,
        user: UserId,
        id: SessionId,
        next: &SecretHash,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(self.keys.session(user, id).into_map()))
            .expression_attribute_values(":session", text(ItemType::Session.as_str()))
            .expression_attribute_values(":next", bytes(next.as_bytes()))
            .expression_attribute_values(":rotated_at", number(now.as_millis()))
            .expression_attribute_values(":expires_at", number(expires_at.as_seconds()))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }

    fn session_item(&self, session: &Session) -> Map {
        let factors = session.factors.iter().map(|factor| text(factor.as_str())).collect();
        let attributes = [
            ("current_hash", Some(bytes(session.current.as_bytes()))),
            ("previous_hash", session.previous.as_ref().map(|hash| bytes(hash.as_bytes()))),
            ("rotated_at", Some(number(session.rotated_at.as_millis()))),
            ("recoveries", Some(number(session.recoveries.into()))),
            ("generation", (session.generation > 0).then(|| number(session.generation.into()))),
            ("factors", Some(AttributeValue::L(factors))),
            ("source_ip", Some(text(&session.device.source_ip))),
            ("user_agent", Some(text(&session.device.user_agent))),
            ("expires_at", Some(number(session.expires_at.as_seconds()))),
        ];
        item(self.keys.session(session.user, session.id), ItemType::Session, attributes)
    }
}

fn updated(
    result: Result<UpdateItemOutput, SeenInstead>,
    user: UserId,
    id: SessionId,
) -> Result<Written<Session>, Error> {
    match result {
        Ok(output) => {
            let session = read_seen(output.attributes, user, id)?;
            session.map(Written::Done).ok_or_else(|| Error::internal("UpdateItem: it does not say what it wrote"))
        }
        Err(instead) => read_seen(instead, user, id).map(Written::Lost),
    }
}

fn read_seen(seen: SeenInstead, user: UserId, id: SessionId) -> Result<Option<Session>, Error> {
    let seen = seen.map(|map| Item::read(map, ItemType::Session)).transpose()?;
    seen.map(|item| read_session(&item, user, id)).transpose()
}

pub(super) fn read_session(item: &Item, user: UserId, id: SessionId) -> Result<Session, Error> {
    Ok(Session {
        id,
        user,
        current: item.hash("current_hash")?,
        previous: item.optional_hash("previous_hash")?,
        rotated_at: item.moment("rotated_at")?,
        recoveries: u32::try_from(item.number("recoveries")?).map_err(|_| item.broken("recoveries"))?,
        expires_at: item.expires_at()?,
        generation: item.generation()?,
        factors: read_factors(item)?,
        device: Device::new(item.text("source_ip")?, item.text("user_agent")?),
    })
}

/// What the user showed. Sessions that began before this was written began with a password.
fn read_factors(item: &Item) -> Result<Vec<Factor>, Error> {
    if !item.has("factors") {
        return Ok(vec![Factor::Password]);
    }
    let factor = |text: &str| Factor::parse(text).ok_or_else(|| item.broken("factors"));
    item.texts("factors")?.into_iter().map(factor).collect()
}
