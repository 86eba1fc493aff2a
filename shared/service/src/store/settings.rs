use std::time::Duration;

use freehold_domain::Error;
use freehold_domain::appearance::{Appearance, Colour, Logo};
use freehold_domain::language::Language;
use freehold_domain::name::DisplayName;
use freehold_domain::settings::Settings;

use super::{ItemType, Store};

impl Store {
    /// The pool's settings; the default of each that the item does not say, and of all where there is no item.
    pub(crate) async fn settings(&self) -> Result<Settings, Error> {
        let default = Settings::default();
        let Some(item) = self.get(self.keys.settings(), ItemType::Settings).await? else { return Ok(default) };
        let seconds = |name| item.optional_number(name).map(|seconds| seconds.map(Duration::from_secs));
        let appearance = Appearance {
            product: item.optional("product", DisplayName::parse)?,
            colour: item.optional("colour", Colour::parse)?.unwrap_or(default.appearance.colour),
            logo: item.optional("logo", Logo::parse)?,
            language: item.optional("language", Language::parse)?.unwrap_or(default.appearance.language),
        };
        Ok(Settings {
            session_idle: seconds("session_idle_seconds")?.unwrap_or(default.session_idle),
            session_absolute: seconds("session_absolute_seconds")?.unwrap_or(default.session_absolute),
            appearance,
        })
    }
}
