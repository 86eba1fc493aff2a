//! Passwords as people type them.

use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use crate::error::{FieldCode, FieldError, PasswordRule};

const MAX_CHARACTERS: usize = 128;
const MAX_BYTES: usize = 512;

/// A password, prepared as RFC 8265 (`OpaqueString`) says: other spaces become the ASCII one, and the whole NFC, so that
/// two keyboards that type the same password send the same bytes. It is wiped when it is dropped and cannot be printed.
pub struct Password(Zeroizing<String>);

impl Password {
    /// Takes a password that somebody signs in with. What no account can have is refused before it costs a hash: a
    /// password is never truncated.
    #[must_use]
    pub fn attempt(text: &str) -> Option<Self> {
        if text.len() > MAX_BYTES {
            return None;
        }
        let one_space = |character: char| if is_other_space(character) { ' ' } else { character };
        let prepared: Zeroizing<String> = Zeroizing::new(text.chars().map(one_space).nfc().collect());
        let fits = prepared.len() <= MAX_BYTES && prepared.chars().count() <= MAX_CHARACTERS;
        fits.then_some(Self(prepared))
    }

    /// The bytes to hash.
    #[must_use]
    pub fn expose_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The characters: for rules about them, and for a function of the owner's that knows them from elsewhere.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// A password that a person chooses, and the field that it came in. The pool's policy has not looked at it yet.
pub struct ChosenPassword {
    pub(crate) field: &'static str,
    password: Password,
}

impl ChosenPassword {
    /// Reads what the field holds.
    ///
    /// # Errors
    /// What is wrong with the field, whatever the policy.
    pub fn read(field: &'static str, text: Option<&str>) -> Result<Self, FieldError> {
        let refused = |code, detail| FieldError::new(field, code, detail);
        let text = text.ok_or_else(|| refused(FieldCode::InvalidPassword, "This field is missing."))?;
        let password = Password::attempt(text).ok_or_else(|| {
            let detail = "A password has at most 128 characters and 512 bytes.";
            refused(FieldCode::Password(PasswordRule::TooLong), detail)
        })?;
        if password.0.chars().any(char::is_control) {
            return Err(refused(FieldCode::InvalidPassword, "A password has no control characters."));
        }
        Ok(Self { field, password })
    }

    /// The bytes, to ask whether they are known from a leak.
    #[must_use]
    pub fn expose_bytes(&self) -> &[u8] {
        self.password.expose_bytes()
    }

    /// The password, which the policy has looked at by now.
    #[must_use]
    pub fn into_password(self) -> Password {
        self.password
    }

    pub(crate) fn expose(&self) -> &str {
        self.password.expose()
    }
}

/// Unicode's general category Zs without the ASCII space.
fn is_other_space(character: char) -> bool {
    matches!(character, '\u{A0}' | '\u{1680}' | '\u{2000}'..='\u{200A}' | '\u{202F}' | '\u{205F}' | '\u{3000}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(text: &str) -> Result<Vec<u8>, FieldCode> {
        let chosen = ChosenPassword::read("password", Some(text)).map_err(|error| error.code)?;
        Ok(chosen.into_password().expose_bytes().to_vec())
    }

    #[test]
    fn up_to_128_characters_are_taken() {
        assert!(chosen(&"a".repeat(128)).is_ok() && chosen(&"ü".repeat(128)).is_ok());
        assert_eq!(chosen(&"a".repeat(129)), Err(FieldCode::Password(PasswordRule::TooLong)));
    }

    #[test]
    fn more_than_512_bytes_are_refused() {
        assert!(chosen(&"🦀".repeat(128)).is_ok());
        assert!(chosen(&format!("{}a\u{300}\u{301}", "🦀".repeat(127))).is_err());
    }

    #[test]
    fn control_characters_are_refused() {
        for wrong in ["1234567\0", "12345678\n"] {
            assert_eq!(chosen(wrong), Err(FieldCode::InvalidPassword));
        }
    }

    #[test]
    fn two_keyboards_type_the_same_password() {
        assert_eq!(chosen("Zoe\u{308} 12345").unwrap(), "Zoë 12345".as_bytes());
        assert_eq!(chosen("pass\u{A0}word").unwrap(), b"pass word");
    }

    #[test]
    fn nothing_is_truncated_or_trimmed() {
        assert_eq!(chosen("  spaces  ").unwrap(), b"  spaces  ");
        assert!(Password::attempt(&"a".repeat(129)).is_none());
    }
}
