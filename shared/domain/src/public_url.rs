//! Where the pool stands on the web, and what follows from it: origins and issuers.

use url::{Host, Url};

use crate::{PoolId, UserId};

/// The origin of a web page (RFC 6454): scheme, host and port in their one spelling, without a path or a trailing slash.
/// It is https, or http on a loopback address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    /// Reads an origin in its one spelling.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let is_loopback = match url.host()? {
            Host::Domain(name) => name == "localhost",
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => address.is_loopback(),
        };
        let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_loopback);
        (is_safe && url.origin().ascii_serialization() == text).then(|| Self(text.to_owned()))
    }

    /// The origin as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The issuers of a pool: each user is one, at `{public url}/{pool}/users/{sub}`.
#[derive(Debug, Clone)]
pub struct Issuers {
    base: String,
}

impl Issuers {
    /// The issuers of `pool` at `public_url`.
    #[must_use]
    pub fn new(public_url: &Origin, pool: &PoolId) -> Self {
        Self { base: format!("{}/{pool}/users/", public_url.as_str()) }
    }

    /// A user's issuer.
    #[must_use]
    pub fn of(&self, user: UserId) -> String {
        format!("{}{user}", self.base)
    }

    /// The user of an issuer and a subject that nothing has verified yet. The two must agree byte for byte: no part of an
    /// address that a sender chose is ever followed.
    #[must_use]
    pub fn user_of(&self, issuer: &str, subject: &str) -> Option<UserId> {
        let user = UserId::parse(subject)?;
        (issuer == self.of(user)).then_some(user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;

    #[test]
    fn an_origin_is_https_or_loopback_and_has_one_spelling() {
        for right in [
            "https://auth.example.com",
            "https://auth.example.com:8443",
            "http://127.0.0.1:3000",
            "http://localhost:3000",
            "http://[::1]:3000",
        ] {
            assert!(Origin::parse(right).is_some(), "{right}");
        }
        let wrong = [
            "",
            "null",
            "auth.example.com",
            "http://auth.example.com",
            "https://auth.example.com/",
            "https://auth.example.com/path",
            "https://auth.example.com:443",
            "https://AUTH.example.com",
            "https://a@auth.example.com",
            "https://auth.example.com?a",
            "ftp://auth.example.com",
            "http://localhost.evil.example",
            "https://auth.example.com#a",
            " https://auth.example.com",
        ];
        for wrong in wrong {
            assert_eq!(Origin::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn issuer_and_subject_agree_byte_for_byte() {
        let issuers =
            Issuers::new(&Origin::parse("https://auth.example").unwrap(), &PoolId::parse("eu-west-1_A").unwrap());
        let now = Timestamp::from_seconds(1_767_225_600);
        let (ann, bob) = (UserId::new(now), UserId::new(now));
        let (issuer, subject) = (issuers.of(ann), ann.to_string());
        assert_eq!(issuers.user_of(&issuer, &subject), Some(ann));
        assert_eq!(issuers.user_of(&issuer, &bob.to_string()), None);
        let wrong = [
            format!("https://auth.example.evil/eu-west-1_A/users/{ann}"),
            format!("https://auth.example@evil/eu-west-1_A/users/{ann}"),
            format!("https://auth.example:443/eu-west-1_A/users/{ann}"),
            format!("https://auth.example/eu-west-1_A/users/../users/{ann}"),
            format!("https://auth.example/eu-west-1_A/users/%2e%2e/users/{ann}"),
            format!("https://auth.example/eu-west-1_B/users/{ann}"),
            format!("{issuer}?a"),
            format!("{issuer}#a"),
            format!("{issuer}/"),
            issuer.to_uppercase(),
            format!(" {issuer}"),
        ];
        for wrong in wrong {
            assert_eq!(issuers.user_of(&wrong, &subject), None, "{wrong}");
        }
        assert_eq!(issuers.user_of(&issuer, &subject.to_uppercase()), None);
    }
}
