use std::time::Duration;

use aws_sdk_dynamodb::types::{DeleteRequest, WriteRequest};
use freehold_domain::challenge::Challenge;
use freehold_domain::email::Email;
use freehold_domain::mail::Mail;
use freehold_domain::user::User;
use freehold_domain::{Error, Timestamp, UserId};

use super::item::{Map, item};
use super::keys::Keys;
use super::{GuessedAt, Item, ItemType, Store, delete, failure, number, put, text, update};

/// How many items DynamoDB deletes at once.
const BATCH: usize = 25;
/// How long to wait where DynamoDB left some of them for another time.
const PAUSE: Duration = Duration::from_millis(100);

/// An account that is to be deleted, or whose deletion was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deletion {
    /// The account.
    pub user: UserId,
    /// When it goes.
    pub at: Timestamp,
}

impl Deletion {
    fn of(user: &User) -> Option<Self> {
        user.deletion_at.map(|at| Self { user: user.id, at })
    }
}

impl Store {
    /// Notes when an account goes, ends its sessions, and asks its user whether to keep it. Whether it was written: not where
    /// the account is no longer as it was read.
    ///
    /// `user` is of the next generation, and has the deletion that was planned before.
    pub(crate) async fn plan_deletion(
        &self,
        user: &User,
        planned: Timestamp,
        question: Option<(Challenge, Mail)>,
    ) -> Result<bool, Error> {
        let profile = self
            .next_generation(user)
            .update_expression("SET generation = :next, deletion_at = :at ADD version :one")
            .expression_attribute_values(":at", number(planned.as_millis()));
        let deletion = item(
            self.keys.deletion(user.id, planned),
            ItemType::Deletion,
            [("user_id", Some(text(user.id.to_string()))), ("deletion_at", Some(number(planned.as_millis())))],
        );
        let mut writes =
            vec![update(profile)?, update(self.next_generation_of_credentials(user))?, put(self.put(deletion))?];
        if let Some((challenge, mail)) = question {
            writes.push(put(self.put(self.challenge_item(&challenge)))?);
            writes.push(put(self.put(self.mail_item(&mail)))?);
        }
        if let Some(before) = user.deletion_at.filter(|before| *before != planned) {
            writes.push(delete(self.delete(self.keys.deletion(user.id, before)))?);
        }
        Ok(self.transact(writes).await?.is_ok())
    }

    /// Uses a challenge up, and lets an account live that was to go. Whether it was written: not where the account is no longer
    /// as it was read.
    ///
    /// # Errors
    /// [`Error::InvalidAnswer`], where the challenge is no longer what it was.
    pub(crate) async fn keep_account(
        &self,
        challenge: &Challenge,
        deletion: Deletion,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let profile = self
            .update(self.keys.profile(deletion.user))
            .update_expression("REMOVE deletion_at ADD version :one")
            .condition_expression("deletion_at = :at")
            .expression_attribute_values(":at", number(deletion.at.as_millis()))
            .expression_attribute_values(":one", number(1));
        let writes = vec![
            self.consume(challenge, now)?,
            update(profile)?,
            delete(self.delete(self.keys.deletion(deletion.user, deletion.at)))?,
        ];
        self.transact_answer(writes).await
    }

    /// The deletions that are due, the longest due first.
    pub(crate) async fn due_deletions(&self, now: Timestamp) -> Result<Vec<Deletion>, Error> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND sk < :until")
            .expression_attribute_values(":pk", text(self.keys.deletions()))
            // `~` is behind everything that follows the moment.
            .expression_attribute_values(":until", text(format!("{}~", Keys::deletion_until(now))))
            .into_paginator()
            .items()
            .send();
        let mut due = Vec::new();
        while let Some(map) = pages.next().await {
            // One item that is not as this code writes it does not hold up the others.
            match read_deletion(map.map_err(|error| failure("Query", &error))?) {
                Ok(deletion) => due.push(deletion),
                Err(error) => tracing::error!(cause = error.cause(), "a deletion cannot be read"),
            }
        }
        Ok(due)
    }

    /// Deletes what makes an account one: profile, credentials and claims, and writes the mail that says so. Nobody signs in
    /// from then on, no token of its is worth anything, and its address is free. Whether it was written: not where the account
    /// is no longer as it was read.
    pub(crate) async fn end_account(&self, user: &User, former: Option<&Email>, mail: &Mail) -> Result<bool, Error> {
        let Some(deletion) = Deletion::of(user) else { return Ok(false) };
        let profile = self
            .delete(self.keys.profile(user.id))
            .condition_expression("deletion_at = :at AND version = :version")
            .expression_attribute_values(":at", number(deletion.at.as_millis()))
            .expression_attribute_values(":version", number(user.version));
        let claim = |email| {
            self.delete(self.keys.claim(email))
                .condition_expression("attribute_not_exists(pk) OR user_id = :user")
                .expression_attribute_values(":user", text(user.id.to_string()))
        };
        let mut writes = vec![
            delete(profile)?,
            delete(self.delete(self.keys.credentials(user.id)))?,
            delete(claim(&user.email))?,
            put(self.put(self.mail_item(mail)))?,
        ];
        if let Some(former) = former {
            writes.push(delete(claim(former))?);
        }
        Ok(self.transact(writes).await?.is_ok())
    }

    /// Deletes everything in a user's partition, however much it is, and what was counted against the user. How many items it
    /// found: whoever was interrupted begins again with what is left.
    pub(crate) async fn erase_partition(&self, user: UserId) -> Result<usize, Error> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .projection_expression("pk, sk")
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", text(self.keys.profile(user).pk))
            .into_paginator()
            .items()
            .send();
        let (mut found, mut batch) = (0, Vec::new());
        while let Some(key) = pages.next().await {
            batch.push(key.map_err(|error| failure("Query", &error))?);
            found += 1;
            if batch.len() == BATCH {
                self.delete_all(std::mem::take(&mut batch)).await?;
            }
        }
        self.delete_all(batch).await?;
        self.forget_guesses(&GuessedAt::User(user)).await?;
        Ok(found)
    }

    /// Forgets a deletion: it is done, or was taken back.
    pub(crate) async fn forget_deletion(&self, deletion: Deletion) -> Result<(), Error> {
        let key = self.keys.deletion(deletion.user, deletion.at).into_map();
        let deleted = self.client.delete_item().table_name(&self.table).set_key(Some(key)).send().await;
        deleted.map(|_| ()).map_err(|error| failure("DeleteItem", &error))
    }

    /// Deletes up to 25 items. DynamoDB may leave some for another time.
    async fn delete_all(&self, mut keys: Vec<Map>) -> Result<(), Error> {
        while !keys.is_empty() {
            let mut requests = Vec::new();
            for key in keys {
                let request = DeleteRequest::builder().set_key(Some(key)).build().map_err(super::unbuilt)?;
                requests.push(WriteRequest::builder().delete_request(request).build());
            }
            let written = self.client.batch_write_item().request_items(&self.table, requests).send().await;
            let left = written.map_err(|error| failure("BatchWriteItem", &error))?.unprocessed_items;
            let left = left.and_then(|mut left| left.remove(&self.table)).unwrap_or_default();
            keys = left.into_iter().filter_map(|request| Some(request.delete_request?.key)).collect();
            if !keys.is_empty() {
                tokio::time::sleep(PAUSE).await;
            }
        }
        Ok(())
    }
}

fn read_deletion(map: Map) -> Result<Deletion, Error> {
    let item = Item::read(map, ItemType::Deletion)?;
    Ok(Deletion { user: item.parse("user_id", UserId::parse)?, at: item.moment("deletion_at")? })
}
