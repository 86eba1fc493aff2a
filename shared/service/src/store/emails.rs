use aws_sdk_dynamodb::types::{ConditionCheck, TransactWriteItem};
use freehold_domain::challenge::{Challenge, Purpose};
use freehold_domain::email::Email;
use freehold_domain::mail::Mail;
use freehold_domain::user::{Claim, Status, User};
use freehold_domain::{Error, Timestamp, UserId};

use super::item::{Map, item};
use super::{Credentials, ItemType, Store, delete, number, put, text, unbuilt, update};

/// All that a confirmed change of an address writes.
pub struct EmailChange {
    /// What was answered: the new address.
    pub challenge: Challenge,
    /// The account as it was read, with the old address.
    pub user: User,
    /// Who held the new address until then, and gives way.
    pub replaces: Option<Claim>,
    /// What gives the account back to the old address.
    pub undo: Challenge,
    /// The mail to the old address.
    pub mail: Mail,
}

/// All that taking a change back writes.
pub struct EmailChangeUndone {
    /// What was answered: the address until the change.
    pub challenge: Challenge,
    /// The account as it was read, with the address since the change, of the next generation and with a new public key.
    pub user: User,
    /// The new secrets.
    pub credentials: Credentials,
    /// The mails that say so, one to each address.
    pub mails: [Mail; 2],
}

impl Store {
    /// Writes the question whether a new address is the user's. Whether it was written: not where the account is no longer as
    /// it was read, so that a question that is asked with an old password does not outlive it.
    pub(crate) async fn ask_for_email(&self, user: &User, challenge: &Challenge, mail: &Mail) -> Result<bool, Error> {
        let is_current =
            if user.generation == 0 { "attribute_not_exists(generation)" } else { "generation = :generation" };
        let mut profile = ConditionCheck::builder()
            .table_name(&self.table)
            .set_key(Some(self.keys.profile(user.id).into_map()))
            .condition_expression(format!("{is_current} AND account_status = :verified AND email = :email"))
            .expression_attribute_values(":verified", text(Status::Verified.as_str()))
            .expression_attribute_values(":email", text(user.email.as_str()));
        if user.generation > 0 {
            profile = profile.expression_attribute_values(":generation", number(user.generation.into()));
        }
        let writes = vec![
            TransactWriteItem::builder().condition_check(profile.build().map_err(unbuilt)?).build(),
            put(self.put(self.challenge_item(challenge)))?,
            put(self.put(self.mail_item(mail)))?,
        ];
        Ok(self.transact(writes).await?.is_ok())
    }

    /// Uses a challenge up, and moves an account to the address that it is about: all of it or nothing. Nobody else gets the
    /// old address while the change can be undone. N parallel answers have one winner. Whether it was written: not where the
    /// account is no longer as it was read.
    ///
    /// # Errors
    /// [`Error::InvalidAnswer`], where the challenge is no longer what it was; [`Error::EmailTaken`], where somebody else was
    /// faster; [`Error::EmailChangedRecently`], where an earlier change can still be undone: whoever has taken an account
    /// over could otherwise change its address twice, and the second change's undoing be theirs.
    pub(crate) async fn confirm_email(&self, change: &EmailChange, now: Timestamp) -> Result<bool, Error> {
        let EmailChange { challenge, user, replaces, undo, mail } = change;
        let claim = self.take_over(self.verified_claim_item(user.id, &challenge.email), *replaces, now);
        let former = self
            .update(self.keys.claim(&user.email))
            .update_expression("SET former_until = :until, expires_at = :expires_at")
            .condition_expression(
                "user_id = :user AND attribute_not_exists(unverified_until) AND attribute_not_exists(former_until)",
            )
            .expression_attribute_values(":user", text(user.id.to_string()))
            .expression_attribute_values(":until", number(undo.expires_at.as_millis()))
            .expression_attribute_values(":expires_at", number(undo.expires_at.as_seconds()));
        let profile = self
            .update(self.keys.profile(user.id))
            .update_expression("SET email = :new ADD version :one")
            .condition_expression("account_status = :verified AND email = :old AND attribute_not_exists(deletion_at)")
            .expression_attribute_values(":verified", text(Status::Verified.as_str()))
            .expression_attribute_values(":old", text(user.email.as_str()))
            .expression_attribute_values(":new", text(challenge.email.as_str()))
            .expression_attribute_values(":one", number(1));
        let undo = self
            .put(self.challenge_item(undo))
            .condition_expression("attribute_not_exists(pk) OR expires_at <= :now")
            .expression_attribute_values(":now", number(now.as_seconds()));
        let mut writes = vec![
            self.consume(challenge, now)?,
            put(claim)?,
            put(undo)?,
            update(former)?,
            update(profile)?,
            put(self.put(self.mail_item(mail)))?,
        ];
        writes.extend(self.delete_abandoned(*replaces)?);
        match self.transact(writes).await? {
            Ok(()) => Ok(true),
            Err(refused) if refused.by(0).is_some() => Err(Error::InvalidAnswer),
            Err(refused) if refused.by(1).is_some() => Err(Error::EmailTaken),
            Err(refused) if refused.by(2).is_some() => Err(Error::EmailChangedRecently),
            Err(_) => Ok(false),
        }
    }

    /// Uses a challenge up, and gives an account back to the address that it had, with another password and key: all of it or
    /// nothing. Whatever was asked for with the old password, another address or a deletion, is forgotten. Whether it was
    /// written: not where the account is no longer as it was read.
    ///
    /// # Errors
    /// [`Error::InvalidAnswer`], where the challenge is no longer what it was.
    pub(crate) async fn undo_email_change(&self, undone: &EmailChangeUndone, now: Timestamp) -> Result<bool, Error> {
        let EmailChangeUndone { challenge, user, credentials, mails: [to_former, to_current] } = undone;
        let is_users = "user_id = :user";
        let former = self
            .update(self.keys.claim(&challenge.email))
            .update_expression("REMOVE former_until, expires_at")
            .condition_expression(format!("{is_users} AND attribute_exists(former_until)"))
            .expression_attribute_values(":user", text(user.id.to_string()));
        let current = self
            .delete(self.keys.claim(&user.email))
            .condition_expression(is_users)
            .expression_attribute_values(":user", text(user.id.to_string()));
        let profile = self
            .next_generation_and_key(user, Status::Verified)?
            .update_expression(
                "SET generation = :next, public_key = :key, account_status = :becomes, email = :former ADD version :one \
                 REMOVE deletion_at",
            )
            .expression_attribute_values(":former", text(challenge.email.as_str()));
        let secrets = self.put(self.credentials_item(user.id, credentials));
        let mut writes = vec![
            self.consume(challenge, now)?,
            update(former)?,
            delete(current)?,
            update(profile)?,
            put(secrets.condition_expression("attribute_exists(pk)"))?,
            self.forget_email_change(user.id)?,
            put(self.put(self.mail_item(to_former)))?,
            put(self.put(self.mail_item(to_current)))?,
        ];
        if let Some(at) = user.deletion_at {
            writes.push(delete(self.delete(self.keys.deletion(user.id, at)))?);
        }
        self.transact_answer(writes).await
    }

    /// Whoever knew the old password may have asked for another address with it.
    pub(super) fn forget_email_change(&self, user: UserId) -> Result<TransactWriteItem, Error> {
        delete(self.delete(self.keys.challenge(Purpose::ChangeEmail, user)))
    }

    fn verified_claim_item(&self, user: UserId, email: &Email) -> Map {
        item(self.keys.claim(email), ItemType::Claim, [("user_id", Some(text(user.to_string())))])
    }
}
