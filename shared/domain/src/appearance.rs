//! How mail of a pool looks.

use crate::language::Language;
use crate::name::DisplayName;

/// What an owner chooses for all mail of a pool.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Appearance {
    /// What the pool is for, as its users know it.
    pub product: Option<DisplayName>,
    /// The colour of buttons.
    pub colour: Colour,
    /// A picture above the text.
    pub logo: Option<WebAddress>,
    /// The language where a request prefers none that there is.
    pub language: Language,
}

/// A colour: `#` and six hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour([u8; 3]);

impl Colour {
    /// Reads a colour.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.is_ascii())?;
        let part = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).ok();
        let has_sign = digits.contains(['+', '-']);
        (!has_sign).then_some(Self([part(0)?, part(2)?, part(4)?]))
    }

    /// The colour that text on it is read in: black or white, whichever stands out more.
    #[must_use]
    pub fn of_text(self) -> Self {
        let [red, green, blue] = self.0.map(u32::from);
        // How bright eyes find it, of 255,000 (ITU-R BT.601).
        let brightness = 299 * red + 587 * green + 114 * blue;
        if brightness > 150_000 { Self([0; 3]) } else { Self([255; 3]) }
    }
}

impl Default for Colour {
    fn default() -> Self {
        Self([0x1d, 0x4e, 0xd8])
    }
}

impl std::fmt::Display for Colour {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

/// An address on the web that an owner chose: https, at most 2,048 printable ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebAddress(String);

impl WebAddress {
    /// Reads an address.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_one =
            text.starts_with("https://") && text.len() <= 2_048 && text.bytes().all(|byte| byte.is_ascii_graphic());
        is_one.then(|| Self(text.to_owned()))
    }

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_is_a_hash_and_six_digits() {
        assert_eq!(Colour::parse("#1D4ed8").map(|colour| colour.to_string()).as_deref(), Some("#1d4ed8"));
        for wrong in ["", "1d4ed8", "#1d4ed", "#1d4ed8;", "#1d4edg", "red", "#+1+2+3", "#äöü"] {
            assert_eq!(Colour::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn text_stands_out_from_its_colour() {
        let on = |colour: &str| Colour::parse(colour).unwrap().of_text().to_string();
        assert_eq!(
            [on("#1d4ed8"), on("#000000"), on("#ffffff"), on("#ffd600")],
            ["#ffffff", "#ffffff", "#000000", "#000000"]
        );
    }

    #[test]
    fn an_address_is_one_of_https() {
        assert!(WebAddress::parse("https://example.com/logo.png?a=b").is_some());
        for wrong in ["http://example.com/logo.png", "javascript:alert(1)", "https://a b", "https://ä", ""] {
            assert_eq!(WebAddress::parse(wrong), None, "{wrong}");
        }
    }
}
