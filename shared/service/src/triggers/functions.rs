use std::collections::BTreeMap;

use freehold_domain::trigger::Trigger;

use crate::StartError;

/// Which function each trigger of the pool is, by ARN or name.
#[derive(Clone, Default)]
pub struct TriggerFunctions {
    functions: BTreeMap<Trigger, String>,
    token_generation: TokenGenerationVersion,
}

/// The version of the events before tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum TokenGenerationVersion {
    /// Claims that are texts.
    #[default]
    V1,
    /// Claims of any kind, and scopes.
    V2,
    /// As the second, also for tokens of machines.
    V3,
}

impl TokenGenerationVersion {
    const ALL: [Self; 3] = [Self::V1, Self::V2, Self::V3];

    fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "V1_0",
            Self::V2 => "V2_0",
            Self::V3 => "V3_0",
        }
    }

    /// The version that the event says.
    pub(super) fn event_version(self) -> &'static str {
        match self {
            Self::V1 => "1",
            Self::V2 => "2",
            Self::V3 => "3",
        }
    }
}

impl TriggerFunctions {
    /// Reads a JSON object from the names of triggers to their functions. A trigger whose function is empty is none. The name
    /// of `PreTokenGeneration` may be followed by the version of its events: `PreTokenGeneration:V2_0`.
    ///
    /// # Errors
    /// [`StartError`], naming what is wrong.
    pub fn parse(json: &str) -> Result<Self, StartError> {
        let named: BTreeMap<String, String> = serde_json::from_str(json)
            .map_err(|_| StartError::new("TRIGGERS must be a JSON object from names of triggers to functions"))?;
        let mut triggers = Self::default();
        for (name, function) in named.into_iter().filter(|(_, function)| !function.is_empty()) {
            let trigger =
                triggers.read(&name).ok_or_else(|| StartError::new(format!("TRIGGERS: there is no {name}")))?;
            if triggers.functions.insert(trigger, function).is_some() {
                return Err(StartError::new(format!("TRIGGERS: {trigger} has two functions")));
            }
        }
        let together =
            [Trigger::DefineAuthChallenge, Trigger::CreateAuthChallenge, Trigger::VerifyAuthChallengeResponse];
        let given = together.iter().filter(|trigger| triggers.functions.contains_key(trigger)).count();
        if given != 0 && given != together.len() {
            let [define, create, verify] = together;
            return Err(StartError::new(format!("TRIGGERS: {define}, {create} and {verify} need each other")));
        }
        Ok(triggers)
    }

    fn read(&mut self, name: &str) -> Option<Trigger> {
        let Some((name, version)) = name.split_once(':') else { return Trigger::parse(name) };
        let trigger = Trigger::parse(name).filter(|trigger| *trigger == Trigger::PreTokenGeneration)?;
        self.token_generation = TokenGenerationVersion::ALL.into_iter().find(|known| known.as_str() == version)?;
        Some(trigger)
    }

    /// The function of a trigger.
    pub(crate) fn function(&self, trigger: Trigger) -> Option<&str> {
        self.functions.get(&trigger).map(String::as_str)
    }

    /// The version of the events before tokens.
    pub(crate) fn token_generation(&self) -> TokenGenerationVersion {
        self.token_generation
    }

    /// Whether the pool has no trigger at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.functions.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(json: &str) -> String {
        TriggerFunctions::parse(json).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_trigger_without_a_function_is_none() {
        let triggers = TriggerFunctions::parse(r#"{"PreSignUp": "arn", "PostConfirmation": ""}"#).unwrap();
        assert_eq!(triggers.function(Trigger::PreSignUp), Some("arn"));
        assert_eq!(triggers.function(Trigger::PostConfirmation), None);
        assert!(TriggerFunctions::parse(r#"{"PreSignUp": ""}"#).unwrap().is_empty());
    }

    #[test]
    fn the_events_before_tokens_are_of_the_first_version_unless_the_name_says_another() {
        let version = |name: &str| {
            let triggers = TriggerFunctions::parse(&format!(r#"{{"{name}": "arn"}}"#)).unwrap();
            assert_eq!(triggers.function(Trigger::PreTokenGeneration), Some("arn"));
            triggers.token_generation().event_version()
        };
        let names = ["", ":V1_0", ":V2_0", ":V3_0"].map(|version| format!("PreTokenGeneration{version}"));
        assert_eq!(names.map(|name| version(&name)), ["1", "1", "2", "3"]);
    }

    #[test]
    fn what_is_no_trigger_is_named() {
        assert!(refusal("[]").starts_with("TRIGGERS must be"));
        assert_eq!(refusal(r#"{"PreSignup": "arn"}"#), "TRIGGERS: there is no PreSignup");
        assert_eq!(refusal(r#"{"PreTokenGeneration:V4_0": "a"}"#), "TRIGGERS: there is no PreTokenGeneration:V4_0");
        assert_eq!(refusal(r#"{"PreSignUp:V2_0": "a"}"#), "TRIGGERS: there is no PreSignUp:V2_0");
        let twice = r#"{"PreTokenGeneration": "a", "PreTokenGeneration:V2_0": "b"}"#;
        assert_eq!(refusal(twice), "TRIGGERS: PreTokenGeneration has two functions");
        let alone = r#"{"DefineAuthChallenge": "a", "VerifyAuthChallengeResponse": "b"}"#;
        assert!(refusal(alone).ends_with("need each other"), "{}", refusal(alone));
    }
}
