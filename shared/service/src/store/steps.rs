use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use freehold_domain::conversation::LIFETIME;
use freehold_domain::{Error, MailId, StepId, Timestamp};

use super::item::item;
use super::{ItemType, Store, conditional, number, text};

impl Store {
    /// Uses a step of a sign-in up: of any number of answers to it one is looked at. The item outlives the step, which says
    /// by itself when it ends.
    pub(crate) async fn use_step(&self, step: StepId, now: Timestamp) -> Result<bool, Error> {
        // A write that is repeated after a lost answer knows itself by this.
        let answer = text(MailId::new(now).to_string());
        let attributes =
            [("answer", Some(answer.clone())), ("expires_at", Some(number((now + LIFETIME).as_seconds() + 1)))];
        let written = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item(self.keys.step(step), ItemType::Step, attributes)))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        Ok(match conditional("PutItem", written)? {
            Ok(_) => true,
            Err(seen) => seen.is_some_and(|seen| seen.get("answer") == Some(&answer)),
        })
    }
}
