use aws_sdk_dynamodb::types::builders::{PutBuilder, UpdateBuilder};
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem};
use freehold_crypto::envelope::Envelope;
use freehold_crypto::key_pair::PublicKey;
use freehold_crypto::password::PasswordHash;
use freehold_domain::challenge::{Challenge, Purpose};
use freehold_domain::email::Email;
use freehold_domain::mail::Mail;
use freehold_domain::name::DisplayName;
use freehold_domain::user::{Claim, Hold, Role, Status, User};
use freehold_domain::{Error, SessionId, Timestamp, UserId};

use super::attributes::{attributes_value, read_attributes};
use super::item::{Map, item};
use super::{Item, ItemType, Store, conditional, delete, failure, number, put, text, update};

/// What must not be exposed of a user.
pub struct Credentials {
    /// The hash of the password.
    pub password_hash: PasswordHash,
    /// The private key, sealed for the user.
    pub sealed_private_key: Envelope,
    /// The generation of the user since which the password is this one. A session that it begins is of this generation, and
    /// not of the one in the profile, which is read beside it and may be newer: another password ends it.
    pub generation: u32,
}

/// All that a registration writes.
pub struct Registration {
    /// The new account.
    pub user: User,
    /// Its secrets.
    pub credentials: Credentials,
    /// What the mailed link answers, and the mail; nothing, where the account waits for none.
    pub challenge_mail: Option<(Challenge, Mail)>,
    /// Who holds the address until then, and gives way.
    pub replaces: Option<Claim>,
}

/// All that a change of a password writes.
pub struct NewPassword {
    /// The user, of the next generation and with the public half of the new key pair.
    pub user: User,
    /// The session that stays.
    pub session: SessionId,
    /// The hash that the current password was compared with.
    pub replaces: PasswordHash,
    /// The new secrets.
    pub credentials: Credentials,
    /// The mail that says so.
    pub mail: Mail,
}

impl Store {
    /// Who holds an address.
    pub(crate) async fn claim(&self, email: &Email) -> Result<Option<Claim>, Error> {
        let item = self.get(self.keys.claim(email), ItemType::Claim).await?;
        item.map(|item| read_claim(&item)).transpose()
    }

    /// A user, without the secrets.
    pub(crate) async fn user(&self, user: UserId) -> Result<Option<User>, Error> {
        let item = self.get(self.keys.profile(user), ItemType::User).await?;
        item.map(|item| read_user(&item, user)).transpose()
    }

    /// A user and their secrets, which lie side by side and are one request. The two may be of different moments, since a
    /// transaction that changes both may be seen half: whoever needs both compares their generations.
    pub(crate) async fn account(&self, id: UserId) -> Result<Option<(User, Credentials)>, Error> {
        let (first, last) = (self.keys.credentials(id), self.keys.profile(id));
        let read = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND sk BETWEEN :credentials AND :profile")
            .expression_attribute_values(":pk", text(first.pk))
            .expression_attribute_values(":credentials", text(&first.sk))
            .expression_attribute_values(":profile", text(&last.sk))
            .send()
            .await
            .map_err(|error| failure("Query", &error))?;
        if read.last_evaluated_key.is_some() {
            // Two items of at most 400 KB fit into one answer. Half an account is not to be taken for none.
            return Err(Error::internal("an account is longer than one answer"));
        }
        let mut items = read.items.unwrap_or_default();
        let mut take = |sk: String, item_type| {
            let sk = text(sk);
            let found = items.iter().position(|map| map.get("sk") == Some(&sk));
            found.map(|position| Item::read(items.swap_remove(position), item_type)).transpose()
        };
        let (credentials, profile) = (take(first.sk, ItemType::Credentials)?, take(last.sk, ItemType::User)?);
        let Some((profile, credentials)) = profile.zip(credentials) else { return Ok(None) };
        Ok(Some((read_user(&profile, id)?, read_credentials(&credentials)?)))
    }

    /// A user's secrets.
    pub(crate) async fn credentials(&self, user: UserId) -> Result<Option<Credentials>, Error> {
        let item = self.get(self.keys.credentials(user), ItemType::Credentials).await?;
        item.map(|item| read_credentials(&item)).transpose()
    }

    /// Writes a new account, its claim, its challenge and its mail: all of it or nothing. An abandoned account that held
    /// the address goes in the same write, unless it was verified or renewed in between.
    ///
    /// # Errors
    /// [`Error::EmailTaken`].
    pub(crate) async fn register(&self, registration: &Registration, now: Timestamp) -> Result<(), Error> {
        let Registration { user, credentials, challenge_mail, replaces } = registration;
        let unverified_until = challenge_mail.as_ref().map(|(challenge, _)| challenge.expires_at);
        let claim = self.take_over(self.claim_item(user, unverified_until), *replaces, now);
        let is_new = "attribute_not_exists(pk)";
        let mut writes = vec![
            put(claim)?,
            put(self.put(self.user_item(user)?).condition_expression(is_new))?,
            put(self.put(self.credentials_item(user.id, credentials)).condition_expression(is_new))?,
        ];
        if let Some((challenge, mail)) = challenge_mail {
            writes.push(put(self.put(self.challenge_item(challenge)).condition_expression(is_new))?);
            writes.push(put(self.put(self.mail_item(mail)).condition_expression(is_new))?);
        }
        writes.extend(self.delete_abandoned(*replaces)?);
        let Err(refused) = self.transact(writes).await? else { return Ok(()) };
        let Some(holder) = refused.by(0) else { return Err(Error::internal("a new id is in use")) };
        // The token of the transaction has ended, and this very registration had been written under it.
        let is_ours = holder.get("user_id").and_then(|value| value.as_s().ok()) == Some(&user.id.to_string());
        if is_ours { Ok(()) } else { Err(Error::EmailTaken) }
    }

    /// Writes what a user says of themselves: name and attributes. Whether it was written: not where the account is no longer
    /// as it was read.
    pub(crate) async fn update_profile(&self, user: &User) -> Result<bool, Error> {
        // A write that is repeated after a lost answer finds the version that it made itself.
        let (expression, name) = match &user.name {
            Some(name) => ("SET attributes = :attributes, version = :next, display_name = :name", Some(name.as_str())),
            None => ("SET attributes = :attributes, version = :next REMOVE display_name", None),
        };
        let attributes = attributes_value(&user.attributes);
        let mut update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(self.keys.profile(user.id).into_map()))
            .update_expression(expression)
            .condition_expression("item_type = :user AND version = :version")
            .expression_attribute_values(":user", text(ItemType::User.as_str()))
            .expression_attribute_values(":version", number(user.version))
            .expression_attribute_values(":next", number(user.version + 1))
            .expression_attribute_values(":attributes", attributes.clone())
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        if let Some(name) = name {
            update = update.expression_attribute_values(":name", text(name));
        }
        Ok(match conditional("UpdateItem", update.send().await)? {
            Ok(_) => true,
            Err(seen) => seen.is_some_and(|seen| {
                seen.get("version") == Some(&number(user.version + 1))
                    && seen.get("attributes") == Some(&attributes)
                    && seen.get("display_name") == name.map(text).as_ref()
            }),
        })
    }

    /// Answers a challenge: the account is verified and holds its address for good. N parallel answers have one winner. An
    /// account that a trigger confirmed has held it for good before.
    ///
    /// # Errors
    /// [`Error::InvalidAnswer`], where the challenge is no longer what it was.
    pub(crate) async fn verify(&self, challenge: &Challenge, now: Timestamp) -> Result<(), Error> {
        let profile = self
            .update(self.keys.profile(challenge.user))
            .update_expression("SET account_status = :verified ADD version :one")
            .condition_expression("account_status IN (:unverified, :confirmed) AND email = :email")
            .expression_attribute_values(":verified", text(Status::Verified.as_str()))
            .expression_attribute_values(":unverified", text(Status::Unverified.as_str()))
            .expression_attribute_values(":confirmed", text(Status::Confirmed.as_str()))
            .expression_attribute_values(":email", text(challenge.email.as_str()))
            .expression_attribute_values(":one", number(1));
        let claim = self
            .update(self.keys.claim(&challenge.email))
            .update_expression("REMOVE unverified_until")
            .condition_expression("user_id = :user AND attribute_not_exists(former_until)")
            .expression_attribute_values(":user", text(challenge.user.to_string()));
        let writes = vec![self.consume(challenge, now)?, update(profile)?, update(claim)?];
        self.transact(writes).await?.map_err(|_| Error::InvalidAnswer)
    }

    /// Answers a challenge with "this was not me": the account that was never verified goes, and its address is free.
    ///
    /// # Errors
    /// [`Error::InvalidAnswer`], where the challenge is no longer what it was.
    pub(crate) async fn cancel(&self, challenge: &Challenge, now: Timestamp) -> Result<(), Error> {
        let profile = self
            .delete(self.keys.profile(challenge.user))
            .condition_expression("account_status = :unverified")
            .expression_attribute_values(":unverified", text(Status::Unverified.as_str()));
        let claim = self
            .delete(self.keys.claim(&challenge.email))
            .condition_expression("user_id = :user AND attribute_exists(unverified_until)")
            .expression_attribute_values(":user", text(challenge.user.to_string()));
        let credentials = self.delete(self.keys.credentials(challenge.user));
        let mut writes = vec![self.consume(challenge, now)?];
        for deleted in [profile, claim, credentials] {
            writes.push(delete(deleted)?);
        }
        self.transact(writes).await?.map_err(|_| Error::InvalidAnswer)
    }

    /// Uses a challenge up, and replaces the account's password and keys: all of it or nothing. Its sessions are of an
    /// earlier generation from then on. N parallel answers have one winner. Whether it was written: not where the account is
    /// no longer as it was read.
    ///
    /// # Errors
    /// [`Error::InvalidAnswer`], where the challenge is no longer what it was.
    pub(crate) async fn reset_password(
        &self,
        challenge: &Challenge,
        user: &User,
        credentials: &Credentials,
        mail: &Mail,
        now: Timestamp,
    ) -> Result<bool, Error> {
        // Whoever answers a mail has shown that its address is theirs, and has a password from now on.
        let profile = self.next_generation_and_key(user, Status::Verified)?;
        let replaced = self.put(self.credentials_item(user.id, credentials));
        let writes = vec![
            self.consume(challenge, now)?,
            update(profile)?,
            put(replaced.condition_expression("attribute_exists(pk)"))?,
            put(self.put(self.mail_item(mail)))?,
            self.forget_email_change(user.id)?,
        ];
        self.transact_answer(writes).await
    }

    /// Replaces a password and its keys, and ends every session but one: all of it or nothing. Whether it was written: not
    /// where the account is no longer as it was read.
    pub(crate) async fn change_password(&self, new: &NewPassword) -> Result<bool, Error> {
        let NewPassword { user, session, replaces, credentials, mail } = new;
        let profile = self.next_generation_and_key(user, user.status)?;
        let secrets = self
            .put(self.credentials_item(user.id, credentials))
            .condition_expression("password_hash = :old")
            .expression_attribute_values(":old", text(replaces.as_str()));
        let writes = vec![
            update(profile)?,
            update(self.take_along(user, *session))?,
            put(secrets)?,
            put(self.put(self.mail_item(mail)))?,
            self.forget_email_change(user.id)?,
        ];
        Ok(self.transact(writes).await?.is_ok())
    }

    /// Ends every session of a user but one, those whose sign-in is under way among them. Whether it was written: not where
    /// the account is no longer as it was read.
    pub(crate) async fn end_other_sessions(&self, user: &User, session: SessionId) -> Result<bool, Error> {
        let profile = self.next_generation(user).update_expression("SET generation = :next ADD version :one");
        let credentials = self.next_generation_of_credentials(user);
        let writes = vec![update(profile)?, update(self.take_along(user, session))?, update(credentials)?];
        Ok(self.transact(writes).await?.is_ok())
    }

    /// Takes the credentials along into the generation of their user: a sign-in that read them before begins no session.
    pub(super) fn next_generation_of_credentials(&self, user: &User) -> UpdateBuilder {
        self.update(self.keys.credentials(user.id))
            .update_expression("SET generation = :next")
            .condition_expression("item_type = :credentials")
            .expression_attribute_values(":next", number(user.generation.into()))
            .expression_attribute_values(":credentials", text(ItemType::Credentials.as_str()))
    }

    /// Makes a user one of the generation that it has here, if it is as it was read: of the one before, of the same status, and
    /// with the same address.
    pub(super) fn next_generation(&self, user: &User) -> UpdateBuilder {
        let before = user.generation.saturating_sub(1);
        // The first generation is not written.
        let is_before = if before == 0 { "attribute_not_exists(generation)" } else { "generation = :before" };
        let profile = self
            .update(self.keys.profile(user.id))
            .condition_expression(format!("{is_before} AND account_status = :status AND email = :email"))
            .expression_attribute_values(":status", text(user.status.as_str()))
            .expression_attribute_values(":email", text(user.email.as_str()))
            .expression_attribute_values(":next", number(user.generation.into()))
            .expression_attribute_values(":one", number(1));
        if before == 0 { profile } else { profile.expression_attribute_values(":before", number(before.into())) }
    }

    /// The same, with the public half of a new key pair, and as far as the account has come with it.
    pub(super) fn next_generation_and_key(&self, user: &User, status: Status) -> Result<UpdateBuilder, Error> {
        Ok(self
            .next_generation(user)
            .update_expression("SET generation = :next, public_key = :key, account_status = :becomes ADD version :one")
            .expression_attribute_values(":becomes", text(status.as_str()))
            .expression_attribute_values(":key", text(stored(&user.public_key)?)))
    }

    /// Takes a session along into the generation of its user.
    fn take_along(&self, user: &User, session: SessionId) -> UpdateBuilder {
        self.update(self.keys.session(user.id, session))
            .update_expression("SET generation = :next")
            .condition_expression("item_type = :session")
            .expression_attribute_values(":next", number(user.generation.into()))
            .expression_attribute_values(":session", text(ItemType::Session.as_str()))
    }

    /// Puts a stronger hash in the place of the one that a sign-in was verified against. One that changed in between stays.
    pub(crate) async fn strengthen(&self, user: UserId, old: &PasswordHash, new: &PasswordHash) -> Result<(), Error> {
        let written = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(self.keys.credentials(user).into_map()))
            .update_expression("SET password_hash = :new")
            .condition_expression("password_hash = :old")
            .expression_attribute_values(":new", text(new.as_str()))
            .expression_attribute_values(":old", text(old.as_str()))
            .send()
            .await;
        conditional("UpdateItem", written).map(|_| ())
    }

    /// Puts a claim where nobody holds the address, or only who was seen there and whose time is over.
    pub(super) fn take_over(&self, claim: Map, holder: Option<Claim>, now: Timestamp) -> PutBuilder {
        let claim = self.put(claim);
        let Some(holder) = holder else { return claim.condition_expression("attribute_not_exists(pk)") };
        let is_over = match holder.hold {
            Hold::UnverifiedUntil(_) => "unverified_until <= :now",
            Hold::FormerUntil(_) => "former_until <= :now",
            // It never is: the condition refuses what no caller asks for.
            Hold::Settled => "unverified_until <= :now AND attribute_not_exists(unverified_until)",
        };
        claim
            .condition_expression(format!("user_id = :holder AND {is_over}"))
            .expression_attribute_values(":holder", text(holder.user.to_string()))
            .expression_attribute_values(":now", number(now.as_millis()))
    }

    /// Deletes an account that was never verified, together with its claim. No condition is needed but the one on the claim:
    /// verifying the account would have changed that too.
    pub(super) fn delete_abandoned(&self, holder: Option<Claim>) -> Result<Vec<TransactWriteItem>, Error> {
        let Some(abandoned) = holder.and_then(|holder| holder.abandoned()) else { return Ok(Vec::new()) };
        let keys = [
            self.keys.profile(abandoned),
            self.keys.credentials(abandoned),
            self.keys.challenge(Purpose::VerifyEmail, abandoned),
        ];
        keys.into_iter().map(|key| delete(self.delete(key))).collect()
    }

    fn claim_item(&self, user: &User, unverified_until: Option<Timestamp>) -> Map {
        let attributes = [
            ("user_id", Some(text(user.id.to_string()))),
            ("unverified_until", unverified_until.map(|until| number(until.as_millis()))),
        ];
        item(self.keys.claim(&user.email), ItemType::Claim, attributes)
    }

    fn user_item(&self, user: &User) -> Result<Map, Error> {
        let roles = user.roles.iter().map(|role| text(role.as_str())).collect();
        let attributes = [
            ("email", Some(text(user.email.as_str()))),
            ("account_status", Some(text(user.status.as_str()))),
            ("display_name", user.name.as_ref().map(|name| text(name.as_str()))),
            ("roles", Some(AttributeValue::L(roles))),
            ("attributes", Some(attributes_value(&user.attributes))),
            ("public_key", Some(text(stored(&user.public_key)?))),
            ("version", Some(number(user.version))),
            ("generation", (user.generation > 0).then(|| number(user.generation.into()))),
        ];
        Ok(item(self.keys.profile(user.id), ItemType::User, attributes))
    }

    pub(super) fn credentials_item(&self, user: UserId, credentials: &Credentials) -> Map {
        let attributes = [
            ("password_hash", Some(text(credentials.password_hash.as_str()))),
            ("private_key", Some(text(credentials.sealed_private_key.as_str()))),
            ("generation", (credentials.generation > 0).then(|| number(credentials.generation.into()))),
        ];
        item(self.keys.credentials(user), ItemType::Credentials, attributes)
    }
}

fn stored(key: &PublicKey) -> Result<String, Error> {
    key.to_stored().map_err(|error| Error::internal(error.to_string()))
}

fn read_claim(item: &Item) -> Result<Claim, Error> {
    let until = |name| item.optional_number(name).map(|moment| moment.map(Timestamp::from_millis));
    let hold = match (until("unverified_until")?, until("former_until")?) {
        (None, None) => Hold::Settled,
        (Some(until), None) => Hold::UnverifiedUntil(until),
        (None, Some(until)) => Hold::FormerUntil(until),
        (Some(_), Some(_)) => return Err(item.broken("former_until")),
    };
    Ok(Claim { user: item.parse("user_id", UserId::parse)?, hold })
}

fn read_user(item: &Item, id: UserId) -> Result<User, Error> {
    let role = |text: &str| Role::parse(text).ok_or_else(|| item.broken("roles"));
    Ok(User {
        id,
        email: item.parse("email", Email::parse)?,
        status: item.parse("account_status", Status::parse)?,
        name: item.optional("display_name", DisplayName::parse)?,
        roles: item.texts("roles")?.into_iter().map(role).collect::<Result<_, _>>()?,
        attributes: read_attributes(item)?,
        public_key: item.parse("public_key", |text| PublicKey::from_stored(text).ok())?,
        generation: item.generation()?,
        version: item.number("version")?,
        deletion_at: item.optional_number("deletion_at")?.map(Timestamp::from_millis),
    })
}

fn read_credentials(item: &Item) -> Result<Credentials, Error> {
    Ok(Credentials {
        password_hash: item.parse("password_hash", |text| PasswordHash::parse(text).ok())?,
        sealed_private_key: Envelope::from_stored(item.text("private_key")?.to_owned()),
        generation: item.generation()?,
    })
}
