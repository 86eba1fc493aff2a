use freehold_domain::challenge::Challenge;
use freehold_domain::session::Session;
use freehold_domain::{Error, SessionId, Timestamp, UserId};

use super::challenges::read_challenge;
use super::item::Map;
use super::sessions::read_session;
use super::{Item, ItemType, Store, failure, text};

/// What is stored of a person beside the account itself, and what is counted elsewhere.
#[derive(Default)]
pub(crate) struct Stored {
    pub(crate) sessions: Vec<Session>,
    pub(crate) challenges: Vec<Challenge>,
}

impl Store {
    /// What is in a user's partition and has not expired, but for the credentials, which are not even read.
    pub(crate) async fn everything_of(&self, user: UserId, now: Timestamp) -> Result<Stored, Error> {
        let credentials = self.keys.credentials(user);
        let mut stored = Stored::default();
        for beside in ["sk < :credentials", "sk > :credentials"] {
            let mut pages = self
                .client
                .query()
                .table_name(&self.table)
                .consistent_read(true)
                .key_condition_expression(format!("pk = :pk AND {beside}"))
                .expression_attribute_values(":pk", text(&credentials.pk))
                .expression_attribute_values(":credentials", text(&credentials.sk))
                .into_paginator()
                .items()
                .send();
            while let Some(map) = pages.next().await {
                self.sort_in(map.map_err(|error| failure("Query", &error))?, user, &mut stored)?;
            }
        }
        stored.sessions.retain(|session| session.expires_at > now);
        stored.challenges.retain(|challenge| challenge.expires_at > now);
        Ok(stored)
    }

    /// Every kind of item in a user's partition is named here, so that a new one is not forgotten.
    fn sort_in(&self, map: Map, user: UserId, stored: &mut Stored) -> Result<(), Error> {
        let kind = map.get("item_type").and_then(|kind| kind.as_s().ok()).and_then(|kind| ItemType::parse(kind));
        match kind {
            Some(ItemType::User) => {}
            Some(ItemType::Session) => {
                let item = Item::read(map, ItemType::Session)?;
                let prefix = self.keys.session_prefix(user).sk;
                let id = item.parse("sk", |sk| SessionId::parse(sk.strip_prefix(&prefix)?))?;
                stored.sessions.push(read_session(&item, user, id)?);
            }
            Some(ItemType::Challenge(purpose)) => {
                let item = Item::read(map, ItemType::Challenge(purpose))?;
                stored.challenges.push(read_challenge(&item, purpose, user)?);
            }
            Some(
                ItemType::Settings
                | ItemType::Credentials
                | ItemType::Claim
                | ItemType::Mail
                | ItemType::Limit
                | ItemType::Deletion
                | ItemType::Step
                | ItemType::Decoy,
            )
            | None => return Err(Error::internal("an item of a user is of no type that users have")),
        }
        Ok(())
    }
}
