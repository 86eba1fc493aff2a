use std::time::Duration;

use freehold_domain::Error;
use freehold_domain::appearance::{Appearance, Colour, WebAddress};
use freehold_domain::email::Email;
use freehold_domain::language::Language;
use freehold_domain::name::DisplayName;
use freehold_domain::password_policy::{BreachCheck, CharacterKind, PasswordPolicy};
use freehold_domain::settings::Settings;

use super::attributes::read_schema;
use super::{Item, ItemType, Store};

impl Store {
    /// The pool's settings; the default of each that the item does not say, and of all where there is no item.
    pub(crate) async fn settings(&self) -> Result<Settings, Error> {
        let default = Settings::default();
        let Some(item) = self.get(self.keys.settings(), ItemType::Settings).await? else { return Ok(default) };
        let seconds = |name| item.optional_number(name).map(|seconds| seconds.map(Duration::from_secs));
        let appearance = Appearance {
            product: item.optional("product", DisplayName::parse)?,
            colour: item.optional("colour", Colour::parse)?.unwrap_or(default.appearance.colour),
            logo: item.optional("logo", WebAddress::parse)?,
            language: item.optional("language", Language::parse)?.unwrap_or(default.appearance.language),
        };
        Ok(Settings {
            session_idle: seconds("session_idle_seconds")?.unwrap_or(default.session_idle),
            session_absolute: seconds("session_absolute_seconds")?.unwrap_or(default.session_absolute),
            attributes: item.optional("attributes", read_schema)?.unwrap_or(default.attributes),
            passwords: read_policy(&item)?,
            appearance,
            sender: item.optional("sender", Email::parse)?,
            change_password_url: item.optional("change_password_url", WebAddress::parse)?,
            deletion_grace: seconds("deletion_grace_seconds")?.unwrap_or(default.deletion_grace),
        })
    }
}

fn read_policy(item: &Item) -> Result<PasswordPolicy, Error> {
    let mut policy = PasswordPolicy::default();
    for kind in CharacterKind::ALL {
        let name = match kind {
            CharacterKind::LowerCase => "password_requires_lower_case",
            CharacterKind::UpperCase => "password_requires_upper_case",
            CharacterKind::Digit => "password_requires_digit",
            CharacterKind::Symbol => "password_requires_symbol",
        };
        if item.flag(name)? {
            policy.asks_for.push(kind);
        }
    }
    policy.breached = item.optional("breached_passwords", BreachCheck::parse)?.unwrap_or_default();
    if let Some(characters) = item.optional_number("password_min_length")? {
        policy = policy.with_min_length(characters).ok_or_else(|| item.broken("password_min_length"))?;
    }
    if let Some(score) = item.optional_number("password_min_score")? {
        policy = policy.with_min_score(score).ok_or_else(|| item.broken("password_min_score"))?;
    }
    Ok(policy)
}
