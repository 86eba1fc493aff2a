use std::time::Duration;

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use freehold_domain::email::Email;
use freehold_domain::guessing::{FREE_GUESSES, MOST_COUNTED, QUIET, pause_after};
use freehold_domain::{Error, MailId, Timestamp, UserId};

use super::item::Map;
use super::{Item, ItemType, Key, Store, conditional, failure, number, text};

/// Whose password or code is guessed at. An address that somebody has is not among them: guesses count against the account,
/// however its address is spelled.
#[derive(Debug, Clone)]
pub(crate) enum GuessedAt {
    /// An account.
    User(UserId),
    /// An address that nobody has.
    Nobody(Email),
}

/// How often somebody guessed wrong in a row.
#[derive(Debug, Clone, Copy)]
pub struct FailedGuesses {
    /// How often.
    pub failures: u32,
    /// When for the last time.
    pub last_at: Timestamp,
}

impl Store {
    /// Counts a guess as one that failed, before anybody looks whether it is right: of any number of parallel ones no more
    /// are let through than their pauses allow. Who guessed right has the count forgotten.
    ///
    /// # Errors
    /// [`Error::TooManyAttempts`], uncounted, while a pause lasts.
    pub(crate) async fn count_guess_at(&self, guessed_at: &GuessedAt, now: Timestamp) -> Result<(), Error> {
        // A write that is repeated after a lost answer knows itself by this.
        let guess = text(MailId::new(now).to_string());
        // A count that is older than the quiet time begins anew, unless somebody else was first.
        for _ in 0..3 {
            let counted = self.may_guess(guessed_at, &guess, now).send().await;
            let Err(seen) = conditional("UpdateItem", counted)? else { return Ok(()) };
            let seen =
                seen.map(Count::read).transpose()?.ok_or_else(|| Error::internal("a count was not brought back"))?;
            if seen.guess == guess {
                return Ok(());
            }
            if now.since(seen.counted_at) < QUIET {
                let next = seen.counted_at + pause_after(seen.failures);
                return Err(Error::TooManyAttempts(next.since(now)));
            }
            let begun = self.begin_anew(guessed_at, &seen, &guess, now).send().await;
            match conditional("UpdateItem", begun)? {
                Ok(_) => return Ok(()),
                Err(seen) if seen.as_ref().and_then(|seen| seen.get("guess")) == Some(&guess) => return Ok(()),
                Err(_) => {}
            }
        }
        Err(Error::unavailable("a count changed each time that it was looked at"))
    }

    /// How many guesses in a row at an account failed, and when the last did; nothing, where none did of late.
    pub(crate) async fn failed_guesses(&self, user: UserId, now: Timestamp) -> Result<Option<FailedGuesses>, Error> {
        let item = self.get(self.guesses(&GuessedAt::User(user)), ItemType::Limit).await?;
        let count = item.map(|item| Count::of(&item)).transpose()?.filter(|count| now.since(count.counted_at) < QUIET);
        Ok(count.map(|count| FailedGuesses { failures: count.failures, last_at: count.counted_at }))
    }

    /// Forgets what was counted against somebody.
    pub(crate) async fn forget_guesses(&self, guessed_at: &GuessedAt) -> Result<(), Error> {
        let key = self.guesses(guessed_at).into_map();
        let deleted = self.client.delete_item().table_name(&self.table).set_key(Some(key)).send().await;
        deleted.map(|_| ()).map_err(|error| failure("DeleteItem", &error))
    }

    /// Counts, unless a pause lasts. DynamoDB knows no powers of two, so the condition has a clause for each pause.
    fn may_guess(&self, guessed_at: &GuessedAt, guess: &AttributeValue, now: Timestamp) -> UpdateItemFluentBuilder {
        let ago = |duration: Duration| number((now - duration).as_millis());
        let mut update = self.update_guesses(guessed_at, guess, now);
        let mut is_over = vec!["failures < :free".to_owned()];
        for failures in FREE_GUESSES..=MOST_COUNTED {
            is_over.push(format!("failures = :n{failures} AND counted_at <= :t{failures}"));
            update = update
                .expression_attribute_values(format!(":n{failures}"), number(failures.into()))
                .expression_attribute_values(format!(":t{failures}"), ago(pause_after(failures)));
        }
        update
            .update_expression(
                "SET counted_at = :now, guess = :guess, expires_at = :expires_at, item_type = :type ADD failures :one",
            )
            .condition_expression(format!(
                "attribute_not_exists(pk) OR guess <> :guess AND counted_at > :quiet AND ({})",
                is_over.join(" OR ")
            ))
            .expression_attribute_values(":free", number(FREE_GUESSES.into()))
            .expression_attribute_values(":quiet", ago(QUIET))
    }

    fn begin_anew(
        &self,
        guessed_at: &GuessedAt,
        seen: &Count,
        guess: &AttributeValue,
        now: Timestamp,
    ) -> UpdateItemFluentBuilder {
        self.update_guesses(guessed_at, guess, now)
            .update_expression(
                "SET counted_at = :now, guess = :guess, expires_at = :expires_at, item_type = :type, failures = :one",
            )
            .condition_expression("guess = :seen")
            .expression_attribute_values(":seen", seen.guess.clone())
    }

    fn update_guesses(
        &self,
        guessed_at: &GuessedAt,
        guess: &AttributeValue,
        now: Timestamp,
    ) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(self.guesses(guessed_at).into_map()))
            .expression_attribute_values(":now", number(now.as_millis()))
            .expression_attribute_values(":guess", guess.clone())
            .expression_attribute_values(":expires_at", number((now + QUIET).as_seconds()))
            .expression_attribute_values(":type", text(ItemType::Limit.as_str()))
            .expression_attribute_values(":one", number(1))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }

    fn guesses(&self, guessed_at: &GuessedAt) -> Key {
        match guessed_at {
            GuessedAt::User(user) => self.keys.guesses(user.to_string()),
            GuessedAt::Nobody(email) => self.keys.guesses(email.canonical()),
        }
    }
}

/// What was counted.
struct Count {
    failures: u32,
    counted_at: Timestamp,
    guess: AttributeValue,
}

impl Count {
    fn read(map: Map) -> Result<Self, Error> {
        Self::of(&Item::read(map, ItemType::Limit)?)
    }

    fn of(item: &Item) -> Result<Self, Error> {
        Ok(Self {
            failures: u32::try_from(item.number("failures")?).map_err(|_| item.broken("failures"))?,
            counted_at: item.moment("counted_at")?,
            guess: text(item.text("guess")?),
        })
    }
}
