//! One-time codes of eight digits, for people who read a mail on another device than the one that asks for them.
//!
//! Eight digits are 27 bits: under a plain hash they are found in a second by whoever reads the table. What is stored is a
//! MAC under the application secret instead: see [`SecretRing::code_mac`](crate::SecretRing::code_mac).

use subtle::ConstantTimeEq;
use zeroize::ZeroizeOnDrop;

const DIGITS: usize = 8;
const CODES: u32 = 100_000_000;

/// Eight digits, each code as likely as any other. They are mailed, never stored, and never printed.
#[derive(Clone, ZeroizeOnDrop)]
pub struct Code([u8; DIGITS]);

impl Code {
    /// Makes a new code.
    #[must_use]
    pub fn generate() -> Self {
        // The largest multiple of the number of codes: without what is above it, none is more likely than another.
        let bound = u32::MAX - u32::MAX % CODES;
        let mut number = u32::MAX;
        while number >= bound {
            number = u32::from_le_bytes(crate::random());
        }
        let mut rest = number % CODES;
        let mut digits = [0; DIGITS];
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + u8::try_from(rest % 10).unwrap_or_default();
            rest /= 10;
        }
        Self(digits)
    }

    /// Reads eight digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits: [u8; DIGITS] = text.as_bytes().try_into().ok()?;
        digits.iter().all(u8::is_ascii_digit).then_some(Self(digits))
    }

    /// The digits, to be mailed.
    #[must_use]
    pub fn expose(&self) -> String {
        self.0.iter().copied().map(char::from).collect()
    }

    /// The digits, as the last part of what the MAC is over.
    #[must_use]
    pub fn expose_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Code(..)")
    }
}

/// What is stored in the place of a code. Comparison takes the same time wherever two differ.
#[derive(Clone)]
pub struct CodeMac(pub(crate) [u8; 32]);

impl CodeMac {
    /// Reads a stored MAC; nothing else has 32 bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self(bytes.try_into().ok()?))
    }

    /// The bytes to store.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl PartialEq for CodeMac {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for CodeMac {}

impl std::fmt::Debug for CodeMac {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CodeMac(..)")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_code_is_eight_digits_and_read_as_it_is_written() {
        let codes: HashSet<String> = (0..1_000).map(|_| Code::generate().expose()).collect();
        assert!(codes.len() > 990, "{} of 1,000 codes differ", codes.len());
        for code in &codes {
            assert_eq!(Code::parse(code).map(|code| code.expose()).as_ref(), Some(code));
        }
        assert!((b'0'..=b'9').all(|digit| codes.iter().any(|code| code.as_bytes()[0] == digit)), "the first digit");
    }

    #[test]
    fn anything_else_is_no_code() {
        for wrong in ["", "1234567", "123456789", "1234567a", " 1234567", "1234 567", "１２３４５６７８", "-1234567"]
        {
            assert!(Code::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn neither_a_code_nor_its_mac_prints_itself() {
        assert_eq!(format!("{:?} {:?}", Code::generate(), CodeMac([7; 32])), "Code(..) CodeMac(..)");
    }
}
