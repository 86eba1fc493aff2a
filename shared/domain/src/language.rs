//! The languages that a pool speaks.

/// A language that mail is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// German.
    German,
    /// French.
    French,
    /// Spanish.
    Spanish,
    /// Portuguese.
    Portuguese,
    /// Japanese.
    Japanese,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 6] =
        [Self::English, Self::German, Self::French, Self::Spanish, Self::Portuguese, Self::Japanese];

    /// Its tag (RFC 5646).
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
            Self::French => "fr",
            Self::Spanish => "es",
            Self::Portuguese => "pt",
            Self::Japanese => "ja",
        }
    }

    /// Reads a tag, whatever region or script it also names.
    #[must_use]
    pub fn parse(tag: &str) -> Option<Self> {
        let language = tag.split('-').next()?;
        Self::ALL.into_iter().find(|known| known.tag().eq_ignore_ascii_case(language))
    }

    /// The one that an `Accept-Language` (RFC 9110, section 12.5.4) likes best; nothing, where it names none of ours.
    #[must_use]
    pub fn preferred(accept_language: &str) -> Option<Self> {
        let mut best: Option<(Self, f32)> = None;
        for range in accept_language.split(',') {
            let (tag, weight) = range.split_once(';').unwrap_or((range, "q=1"));
            let weight: f32 = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse().ok()).unwrap_or(0.0);
            let is_better = weight > 0.0 && best.is_none_or(|(_, least)| weight > least);
            if let (true, Some(language)) = (is_better, Self::parse(tag.trim())) {
                best = Some((language, weight));
            }
        }
        best.map(|(language, _)| language)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tag_is_read_as_it_is_written() {
        for language in Language::ALL {
            assert_eq!(Language::parse(language.tag()), Some(language));
        }
        assert_eq!(Language::parse("pt-BR"), Some(Language::Portuguese));
        assert_eq!(Language::parse("DE"), Some(Language::German));
        assert!(Language::parse("deu").is_none() && Language::parse("").is_none());
    }

    #[test]
    fn the_best_liked_of_ours_is_preferred() {
        for (header, expected) in [
            ("de-CH, fr;q=0.9, en;q=0.8", Some(Language::German)),
            ("fr;q=0.5, ja;q=0.7", Some(Language::Japanese)),
            ("nl, es;q=0.1", Some(Language::Spanish)),
            ("de;q=0, en;q=0.1", Some(Language::English)),
            ("en, de", Some(Language::English)),
            ("nl", None),
            ("*", None),
            ("", None),
            ("de;q=NaN, fr;level=1, ;;;,,=", None),
        ] {
            assert_eq!(Language::preferred(header), expected, "{header}");
        }
    }
}
