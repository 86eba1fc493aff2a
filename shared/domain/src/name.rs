//! Display names.

use unicode_normalization::UnicodeNormalization as _;

/// What a person wants to be called: 1 to 64 characters in NFC, without control characters and without those that turn
/// the direction of the text around them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisplayName(String);

const MAX_CHARACTERS: usize = 64;

impl DisplayName {
    /// Reads a name, with space around it removed.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        // NFC never makes a text longer than three times itself, so a bound before normalising bounds the work.
        if text.len() > MAX_CHARACTERS * 16 {
            return None;
        }
        let name: String = text.trim().nfc().collect();
        let fits = (1..=MAX_CHARACTERS).contains(&name.chars().count());
        (fits && !name.chars().any(is_unprintable)).then_some(Self(name))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name, where a mail may greet with it.
    ///
    /// Whoever registers somebody else's address chooses the name in the mail that is sent there. Mail programs turn
    /// what looks like an address of the web into a link, so such a name is left out: a sender of ours would have sent it.
    #[must_use]
    pub fn for_greeting(&self) -> Option<&str> {
        // Browsers read the wide forms of these, and the ideographic full stop, as the plain ones.
        let plain: Vec<char> = self.0.nfkc().collect();
        let could_become_a_link = plain.windows(2).any(|pair| ".。:/@\\".contains(pair[0]) && !pair[1].is_whitespace());
        (!could_become_a_link).then_some(&self.0)
    }
}

fn is_unprintable(character: char) -> bool {
    let is_separator = matches!(character, '\u{2028}' | '\u{2029}');
    let turns_direction = matches!(
        character,
        '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}'
    );
    let looks_empty = matches!(character, '\u{115F}' | '\u{1160}' | '\u{2800}' | '\u{3164}' | '\u{FFA0}');
    character.is_control() || is_separator || turns_direction || looks_empty
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_many_kinds_are_taken() {
        for name in ["Ann", "Zoë O'Hara-Smith", "李小龍", "Dr. No", "<b>&\"Eve", "🦀"] {
            assert_eq!(DisplayName::parse(&format!(" {name} ")).unwrap().as_str(), name);
        }
        assert_eq!(DisplayName::parse("Zoe\u{308}").unwrap().as_str(), "Zoë");
    }

    #[test]
    fn empty_long_and_unprintable_names_are_refused() {
        let of_65_characters = "a".repeat(65);
        for wrong in [
            "",
            "  ",
            "a\0b",
            "a\nb",
            "a\u{7f}",
            "a\u{202E}b",
            "a\u{2028}b",
            "a\u{200F}",
            "\u{3164}",
            "\u{3164}",
            &of_65_characters,
        ] {
            assert_eq!(DisplayName::parse(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_name_that_a_mail_program_would_link_is_not_greeted_with() {
        for link in [
            "https://evil.example",
            "www.evil.example",
            "evil.example",
            "a@evil.example",
            "evil。example",
            "evil．example",
            "http:／／evil",
            "\\\\evil",
        ] {
            assert_eq!(DisplayName::parse(link).unwrap().for_greeting(), None, "{link}");
        }
        assert_eq!(DisplayName::parse("Dr. Ann Lee Jr.").unwrap().for_greeting(), Some("Dr. Ann Lee Jr."));
    }
}
