//! Asking whether a password is known from a leak without saying which: k-anonymity over SHA-1, as the range API of Have I
//! Been Pwned has it.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use zeroize::Zeroizing;

const PREFIX_DIGITS: usize = 5;

/// The SHA-1 of a password in upper-case hexadecimal digits, of which five are told and the others are not. It does not
/// print itself.
pub struct BreachRange(Zeroizing<String>);

impl BreachRange {
    /// The range that a password is in.
    #[must_use]
    pub fn of(password: &[u8]) -> Self {
        let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, password);
        let digits = hash.as_ref().iter().flat_map(|byte| [byte >> 4, byte & 0x0f]);
        let digits = digits.filter_map(|digit| char::from_digit(digit.into(), 16));
        Self(Zeroizing::new(digits.map(|digit| digit.to_ascii_uppercase()).collect()))
    }

    /// What is told: one of a million ranges, each with hundreds of passwords.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.0[..PREFIX_DIGITS]
    }

    /// Whether an answer of the service has the password: a line of its other 35 digits, a colon, and how often it was seen.
    /// Lines that were seen never are padding.
    #[must_use]
    pub fn is_in(&self, answer: &str) -> bool {
        let rest = &self.0[PREFIX_DIGITS..];
        answer.lines().filter_map(|line| line.trim().split_once(':')).any(|(suffix, count)| {
            suffix.eq_ignore_ascii_case(rest) && count.trim().parse::<u64>().is_ok_and(|count| count > 0)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // SHA-1 of "password", as the documentation of the service has it.
    const REST: &str = "1E4C9B93F3F0682250B6CF8331B7EE68FD8";

    #[test]
    fn five_digits_are_told() {
        assert_eq!(BreachRange::of(b"password").prefix(), "5BAA6");
    }

    #[test]
    fn a_password_is_known_where_its_other_digits_were_seen() {
        let range = BreachRange::of(b"password");
        assert!(range.is_in(&format!("0018A45C4D1DEF81644B54AB7F969B88D65:1\r\n{REST}:3861493\r\n")));
        assert!(range.is_in(&format!("{}:1", REST.to_lowercase())));
        for other in ["", "\n", REST, &format!("{REST}:0"), &format!("{REST}:many"), &format!("5BAA6{REST}:4")] {
            assert!(!range.is_in(other), "{other}");
        }
    }
}
