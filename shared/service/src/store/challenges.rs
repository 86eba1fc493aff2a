use aws_sdk_dynamodb::types::{ConditionCheck, ReturnValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem};
use freehold_domain::challenge::{Challenge, GUESSES_PER_CODE, OnDemand, Purpose};
use freehold_domain::email::Email;
use freehold_domain::mail::Mail;
use freehold_domain::user::Status;
use freehold_domain::{Error, MailId, Timestamp, UserId};

use super::item::{Map, item};
use super::{Item, ItemType, Key, Store, bytes, conditional, number, put, text, unbuilt, update};

/// Where a challenge and its mail are written when somebody asks for a mail.
pub enum ChallengeMail {
    /// To the account that the mail is about, as far as it has come.
    Sent(Challenge, Mail, Status),
    /// To where nobody looks: the same work, for an address that no such account has.
    Decoy(Challenge, Mail),
}

impl Store {
    /// The challenge of a purpose that waits for an answer.
    pub(crate) async fn challenge(&self, purpose: Purpose, user: UserId) -> Result<Option<Challenge>, Error> {
        let item = self.get(self.keys.challenge(purpose, user), ItemType::Challenge(purpose)).await?;
        item.map(|item| read_challenge(&item, purpose, user)).transpose()
    }

    /// Counts a guess at the code of a challenge, before anybody compares it: of 100 parallel guesses 5 get the challenge,
    /// and no more. Nothing, where there is none or its guesses are used up.
    pub(crate) async fn challenge_for_guess(
        &self,
        purpose: Purpose,
        user: UserId,
        now: Timestamp,
    ) -> Result<Option<Challenge>, Error> {
        // A write that is repeated after a lost answer knows itself by this.
        let guess = text(MailId::new(now).to_string());
        let counted = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(self.keys.challenge(purpose, user).into_map()))
            .update_expression("SET last_guess = :guess ADD guesses :one")
            .condition_expression(
                "item_type = :type AND expires_at > :now AND (attribute_not_exists(guesses) OR guesses < :most AND \
                 last_guess <> :guess)",
            )
            .expression_attribute_values(":guess", guess.clone())
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":type", text(ItemType::Challenge(purpose).as_str()))
            .expression_attribute_values(":now", number(now.as_seconds()))
            .expression_attribute_values(":most", number(GUESSES_PER_CODE.into()))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let counted = match conditional("UpdateItem", counted)? {
            Ok(written) => written.attributes,
            Err(seen) => seen.filter(|seen| seen.get("last_guess") == Some(&guess)),
        };
        let challenge = counted.map(|map| Item::read(map, ItemType::Challenge(purpose))).transpose()?;
        challenge.map(|item| read_challenge(&item, purpose, user)).transpose()
    }

    /// Replaces the challenge of an account, and writes the mail; or does as much work for nothing. An account that is no
    /// longer what the mail is about stays as it is.
    pub(crate) async fn write_challenge_mail(&self, demand: OnDemand, mail: &ChallengeMail) -> Result<(), Error> {
        let writes = match mail {
            ChallengeMail::Sent(challenge, mail, status) => vec![
                put(self.put(self.challenge_item(challenge)))?,
                put(self.put(self.mail_item(mail)))?,
                self.still_wanted(demand, challenge, *status)?,
            ],
            ChallengeMail::Decoy(challenge, mail) => {
                let moved = |key: Key, mut map: Map| {
                    map.extend(item(key, ItemType::Decoy, []));
                    map
                };
                let account = self.keys.decoy(challenge.purpose, &challenge.email, "CHALLENGE");
                vec![
                    put(self.put(moved(account, self.challenge_item(challenge))))?,
                    put(self.put(moved(self.keys.decoy_mail(mail.id), self.mail_item(mail))))?,
                    self.decoy_of_still_wanted(demand, challenge)?,
                ]
            }
        };
        // A refusal says that the account was verified, cancelled or taken over in between: there is nothing to send.
        self.transact(writes).await.map(|_| ())
    }

    /// Refuses the whole write where the account is no longer what the mail is about. An account that waits to be verified
    /// holds its address for as long as its newest link works.
    fn still_wanted(
        &self,
        demand: OnDemand,
        challenge: &Challenge,
        status: Status,
    ) -> Result<TransactWriteItem, Error> {
        match (demand, status) {
            (OnDemand::VerifyEmail, Status::Unverified) => {
                let claim = self
                    .update(self.keys.claim(&challenge.email))
                    .update_expression("SET unverified_until = :until")
                    .condition_expression("user_id = :user AND attribute_exists(unverified_until)")
                    .expression_attribute_values(":user", text(challenge.user.to_string()))
                    .expression_attribute_values(":until", number(challenge.expires_at.as_millis()));
                update(claim)
            }
            (OnDemand::VerifyEmail, Status::Confirmed | Status::Verified | Status::ResetRequired)
            | (OnDemand::ResetPassword, _) => {
                let profile = ConditionCheck::builder()
                    .table_name(&self.table)
                    .set_key(Some(self.keys.profile(challenge.user).into_map()))
                    .condition_expression("account_status = :status AND email = :email")
                    .expression_attribute_values(":status", text(status.as_str()))
                    .expression_attribute_values(":email", text(challenge.email.as_str()));
                Ok(TransactWriteItem::builder().condition_check(profile.build().map_err(unbuilt)?).build())
            }
        }
    }

    fn decoy_of_still_wanted(&self, demand: OnDemand, challenge: &Challenge) -> Result<TransactWriteItem, Error> {
        let key = self.keys.decoy(challenge.purpose, &challenge.email, "CLAIM");
        // No decoy is anybody's.
        let always = "attribute_not_exists(user_id)";
        match demand {
            OnDemand::VerifyEmail => {
                let claim = self
                    .update(key)
                    .update_expression("SET unverified_until = :until, expires_at = :expires_at, item_type = :decoy")
                    .condition_expression(always)
                    .expression_attribute_values(":until", number(challenge.expires_at.as_millis()))
                    .expression_attribute_values(":expires_at", number(challenge.expires_at.as_seconds()))
                    .expression_attribute_values(":decoy", text(ItemType::Decoy.as_str()));
                update(claim)
            }
            OnDemand::ResetPassword => {
                let check = ConditionCheck::builder()
                    .table_name(&self.table)
                    .set_key(Some(key.into_map()))
                    .condition_expression(always);
                Ok(TransactWriteItem::builder().condition_check(check.build().map_err(unbuilt)?).build())
            }
        }
    }

    /// Deletes the challenge, if it is still the one that was read and has not expired.
    pub(super) fn consume(&self, challenge: &Challenge, now: Timestamp) -> Result<TransactWriteItem, Error> {
        let delete = self
            .delete(self.keys.challenge(challenge.purpose, challenge.user))
            .condition_expression("token_hash = :hash AND item_type = :type AND expires_at > :now")
            .expression_attribute_values(":hash", bytes(challenge.token_hash.as_bytes()))
            .expression_attribute_values(":type", text(ItemType::Challenge(challenge.purpose).as_str()))
            .expression_attribute_values(":now", number(now.as_seconds()));
        super::delete(delete)
    }

    pub(super) fn challenge_item(&self, challenge: &Challenge) -> Map {
        let attributes = [
            ("email", Some(text(challenge.email.as_str()))),
            ("token_hash", Some(bytes(challenge.token_hash.as_bytes()))),
            ("code_mac", Some(bytes(challenge.code_mac.as_bytes()))),
            ("expires_at", Some(number(challenge.expires_at.as_seconds()))),
        ];
        let key = self.keys.challenge(challenge.purpose, challenge.user);
        item(key, ItemType::Challenge(challenge.purpose), attributes)
    }
}

pub(super) fn read_challenge(item: &Item, purpose: Purpose, user: UserId) -> Result<Challenge, Error> {
    Ok(Challenge {
        purpose,
        user,
        email: item.parse("email", Email::parse)?,
        token_hash: item.hash("token_hash")?,
        code_mac: item.code_mac("code_mac")?,
        expires_at: item.expires_at()?,
    })
}
