//! What somebody says of themselves.

use freehold_domain::Error;
use freehold_domain::attributes::{Changes, Occasion};
use freehold_domain::name::DisplayName;
use freehold_domain::user::User;
use futures::future::{BoxFuture, try_join};

use super::MAX_LOOKS;
use super::authenticate;
use crate::App;

/// What is to be different.
pub struct Input {
    /// What they want to be called; nothing inside, where it is no name any longer.
    pub name: Option<Option<DisplayName>>,
    /// What they say of themselves.
    pub attributes: Changes,
}

/// Changes name and attributes of the user of an access token, and returns the user as it is then. Whatever is not named
/// stays, also where another request changes it at the same time.
///
/// # Errors
/// [`Error::InvalidAccessToken`]; [`Error::InvalidFields`], where the pool's schema does not allow a change.
pub fn update_profile<'a>(app: &'a App, bearer: &'a str, input: &'a Input) -> BoxFuture<'a, Result<User, Error>> {
    Box::pin(async move {
        for _ in 0..MAX_LOOKS {
            let (authenticated, settings) = try_join(authenticate(app, bearer), app.settings()).await?;
            let user = authenticated.user();
            let changed = settings.attributes.apply(input.attributes.clone(), &user.attributes, Occasion::Later);
            let attributes = changed.map_err(Error::InvalidFields)?;
            let name = input.name.clone().unwrap_or_else(|| user.name.clone());
            let changed = User { name, attributes, ..user.clone() };
            if app.store.update_profile(&changed).await? {
                return Ok(changed);
            }
        }
        Err(Error::unavailable("an account changed each time that its profile was changed"))
    })
}
