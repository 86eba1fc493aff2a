use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use freehold_domain::challenge::{MAILS_PER_HOUR, Purpose};
use freehold_domain::email::Email;
use freehold_domain::{Error, MailId, Timestamp};

use super::item::item;
use super::{ItemType, Key, Store, conditional, number, text};

const HOUR: Duration = Duration::from_hours(1);

impl Store {
    /// Counts one more mail of a purpose to an address that somebody asked for: whether it may be sent.
    ///
    /// The item holds the times of the last mails, oldest first. One conditional write drops the oldest, where it is an
    /// hour old, and appends this one, so that no hour, wherever it begins, has more mails than are allowed; and 100
    /// parallel requests count as 100. Known and unknown addresses are counted alike.
    pub(crate) async fn count_mail(&self, purpose: Purpose, email: &Email, now: Timestamp) -> Result<bool, Error> {
        let last = MAILS_PER_HOUR - 1;
        let moved: Vec<String> = (0..last).map(|at| format!("sent_at[{at}] = sent_at[{}]", at + 1)).collect();
        let expression =
            format!("SET {}, sent_at[{last}] = :now, asked_by = :request, expires_at = :expires_at", moved.join(", "));
        let expires_at = number((now + HOUR).as_seconds());
        let key = self.keys.mails_to(purpose, email);
        // A write that is repeated after a lost answer knows itself by this.
        let request = text(MailId::new(now).to_string());
        // Where there is no item yet, it is made and the write begins again: once, unless it expires at that very moment.
        for _ in 0..3 {
            let written = self
                .client
                .update_item()
                .table_name(&self.table)
                .set_key(Some(key.clone().into_map()))
                .update_expression(&expression)
                .condition_expression(
                    "sent_at[0] <= :an_hour_ago AND (attribute_not_exists(asked_by) OR asked_by <> :request)",
                )
                .expression_attribute_values(":now", number(now.as_millis()))
                .expression_attribute_values(":an_hour_ago", number((now - HOUR).as_millis()))
                .expression_attribute_values(":request", request.clone())
                .expression_attribute_values(":expires_at", expires_at.clone())
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
                .send()
                .await;
            match conditional("UpdateItem", written)? {
                Ok(_) => return Ok(true),
                Err(Some(seen)) => return Ok(seen.get("asked_by") == Some(&request)),
                Err(None) => {}
            }
            self.begin_count(key.clone(), expires_at.clone()).await?;
        }
        Err(Error::unavailable("a limit was made and expired three times"))
    }

    /// Makes an item that has counted nothing. Somebody else may have made it first.
    async fn begin_count(&self, key: Key, expires_at: AttributeValue) -> Result<(), Error> {
        let never = AttributeValue::L(vec![number(0); MAILS_PER_HOUR as usize]);
        let attributes = [("sent_at", Some(never)), ("expires_at", Some(expires_at))];
        let written = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item(key, ItemType::Limit, attributes)))
            .condition_expression("attribute_not_exists(pk)")
            .send()
            .await;
        conditional("PutItem", written).map(|_| ())
    }
}
