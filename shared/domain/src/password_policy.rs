//! Which passwords people may choose: NIST SP 800-63B-4, section 3.1.1.2, and OWASP ASVS 5.0, section 6.2.

use unicode_normalization::UnicodeNormalization as _;
use zxcvbn::feedback::{Feedback, Warning};
use zxcvbn::zxcvbn;

use crate::email::Email;
use crate::error::{FieldCode, FieldError, PasswordRule};
use crate::name::DisplayName;
use crate::password::ChosenPassword;
use crate::user::User;

/// Shorter words of a name or an address are parts of too many passwords to say anything.
const MIN_TELLING_CHARACTERS: usize = 4;

/// The estimator tries every reading of signs that may stand for letters, which can take a second for 100 of them. A password
/// whose beginning is strong enough is.
const MAX_ESTIMATED_CHARACTERS: usize = 40;

/// What a pool asks of passwords.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordPolicy {
    min_length: usize,
    /// What kinds of characters it asks for. NIST and OWASP advise against asking for any.
    pub asks_for: Vec<CharacterKind>,
    min_score: u8,
    /// Whether passwords that are known from leaks are refused.
    pub breached: BreachCheck,
}

/// The kinds of characters that a pool may ask for, as Cognito has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CharacterKind {
    /// A lower-case letter.
    LowerCase,
    /// An upper-case letter.
    UpperCase,
    /// A digit or number of any script.
    Digit,
    /// Anything that is neither letter nor digit nor space.
    Symbol,
}

/// Whether passwords that are known from leaks are refused, and what happens when the service that knows them is silent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum BreachCheck {
    /// Nobody is asked.
    #[default]
    Off,
    /// A password that cannot be checked is taken.
    FailOpen,
    /// A password that cannot be checked is refused for now.
    FailClosed,
}

impl BreachCheck {
    /// Reads a setting.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "off" => Some(Self::Off),
            "fail_open" => Some(Self::FailOpen),
            "fail_closed" => Some(Self::FailClosed),
            _ => None,
        }
    }
}

impl Default for PasswordPolicy {
    fn default() -> Self {
        Self { min_length: 8, asks_for: Vec::new(), min_score: 2, breached: BreachCheck::default() }
    }
}

/// Whose password it is to be: what it must not contain.
#[derive(Clone, Copy)]
pub struct Person<'a> {
    /// The address.
    pub email: Option<&'a Email>,
    /// The name.
    pub name: Option<&'a DisplayName>,
}

impl<'a> Person<'a> {
    /// Somebody who has an account.
    #[must_use]
    pub fn of(user: &'a User) -> Self {
        Self { email: Some(&user.email), name: user.name.as_ref() }
    }
}

impl PasswordPolicy {
    /// Asks for at least so many characters, from 8 to 64.
    #[must_use]
    pub fn with_min_length(self, characters: u64) -> Option<Self> {
        let min_length = usize::try_from(characters).ok().filter(|characters| (8..=64).contains(characters))?;
        Some(Self { min_length, ..self })
    }

    /// Asks for at least such a score of `zxcvbn`: 2 is more than a million guesses, 3 a hundred million, 4 ten thousand
    /// million. Less than 2 would let common passwords through.
    #[must_use]
    pub fn with_min_score(self, score: u64) -> Option<Self> {
        let min_score = u8::try_from(score).ok().filter(|score| (2..=4).contains(score))?;
        Some(Self { min_score, ..self })
    }

    /// Holds a password against every rule but that about leaks, which only a service knows.
    ///
    /// # Errors
    /// The first rule that it breaks, with how to do better.
    pub fn check(
        &self,
        chosen: &ChosenPassword,
        person: Person<'_>,
        product: Option<&DisplayName>,
    ) -> Result<(), FieldError> {
        let refused = |rule, detail: String| Err(FieldError::new(chosen.field, FieldCode::Password(rule), detail));
        let password = chosen.expose();
        if password.chars().count() < self.min_length {
            let detail = format!("A password has at least {} characters: add a word or two.", self.min_length);
            return refused(PasswordRule::TooShort, detail);
        }
        if let Some(missing) = self.asks_for.iter().find(|kind| !password.chars().any(|one| kind.is_of(one))) {
            let (rule, what) = missing.rule();
            return refused(rule, format!("A password has at least one {what} here: add one."));
        }
        let telling = telling(person, product);
        let folded = folded(password);
        if telling.iter().any(|word| word.chars().count() >= MIN_TELLING_CHARACTERS && folded.contains(word)) {
            let detail = "It contains your address, your name or the name of this service: choose words that nobody \
                          connects with you.";
            return refused(PasswordRule::ContainsPersonalData, detail.to_owned());
        }
        let words: Vec<&str> = telling.iter().map(String::as_str).collect();
        let beginning: String = password.chars().take(MAX_ESTIMATED_CHARACTERS).collect();
        let estimate = zxcvbn(&beginning, &words);
        if is_common(estimate.feedback()) {
            let detail = "Many people have this password, and it is guessed first: choose some words that do not belong \
                          together.";
            return refused(PasswordRule::TooCommon, detail.to_owned());
        }
        if u8::from(estimate.score()) < self.min_score {
            return refused(PasswordRule::TooGuessable, how_to_do_better(estimate.feedback()));
        }
        Ok(())
    }

    /// What is wrong with a password that was in a leak.
    #[must_use]
    pub fn breached(chosen: &ChosenPassword) -> FieldError {
        let detail = "This password is known from a leak of another service: choose one that was never used elsewhere.";
        FieldError::new(chosen.field, FieldCode::Password(PasswordRule::Breached), detail)
    }
}

impl CharacterKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::LowerCase, Self::UpperCase, Self::Digit, Self::Symbol];

    fn is_of(self, character: char) -> bool {
        match self {
            Self::LowerCase => character.is_lowercase(),
            Self::UpperCase => character.is_uppercase(),
            Self::Digit => character.is_numeric(),
            Self::Symbol => !character.is_alphanumeric() && !character.is_whitespace(),
        }
    }

    fn rule(self) -> (PasswordRule, &'static str) {
        match self {
            Self::LowerCase => (PasswordRule::NeedsLowerCase, "lower-case letter"),
            Self::UpperCase => (PasswordRule::NeedsUpperCase, "upper-case letter"),
            Self::Digit => (PasswordRule::NeedsDigit, "digit"),
            Self::Symbol => (PasswordRule::NeedsSymbol, "symbol"),
        }
    }
}

/// What others know of the person, each as a whole and in words, in one case and width.
fn telling(person: Person<'_>, product: Option<&DisplayName>) -> Vec<String> {
    let address = person.email.map(Email::canonical).unwrap_or_default();
    let mailbox = address.split('@').next().unwrap_or_default().to_owned();
    let names = [person.name, product].into_iter().flatten().map(|name| folded(name.as_str()));
    let wholes: Vec<String> = names.chain([mailbox, address]).collect();
    let words = wholes.iter().flat_map(|whole| whole.split(|character: char| !character.is_alphanumeric()));
    let mut telling: Vec<String> = words.map(str::to_owned).chain(wholes.clone()).collect();
    telling.retain(|word| !word.is_empty());
    telling.sort_unstable();
    telling.dedup();
    telling
}

fn folded(text: &str) -> String {
    text.nfkc().flat_map(char::to_lowercase).collect()
}

/// Whether the password is one of the thirty thousand that the estimator knows to be common.
fn is_common(feedback: Option<&Feedback>) -> bool {
    let warning = feedback.and_then(Feedback::warning);
    matches!(
        warning,
        Some(Warning::ThisIsATop10Password | Warning::ThisIsATop100Password | Warning::ThisIsACommonPassword)
    )
}

fn how_to_do_better(feedback: Option<&Feedback>) -> String {
    let warning = feedback.and_then(Feedback::warning).map(|warning| warning.to_string());
    let suggestion = feedback.and_then(|feedback| feedback.suggestions().first()).map(ToString::to_string);
    let sentences = ["This password is too easy to guess.".to_owned()].into_iter().chain(warning).chain(suggestion);
    sentences.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(policy: &PasswordPolicy, password: &str) -> Option<FieldError> {
        let (email, name) = (Email::parse("ann.hara@bookshop.example"), DisplayName::parse("Zoë O'Neill"));
        let person = Person { email: email.as_ref(), name: name.as_ref() };
        let product = DisplayName::parse("Lighthouse Books");
        let chosen = ChosenPassword::read("password", Some(password)).unwrap();
        policy.check(&chosen, person, product.as_ref()).err()
    }

    fn rule(policy: &PasswordPolicy, password: &str) -> Option<PasswordRule> {
        check(policy, password).map(|error| {
            let FieldCode::Password(rule) = error.code else { panic!("{error:?}") };
            rule
        })
    }

    #[test]
    fn passwords_that_nobody_would_guess_are_taken_whatever_they_are_made_of() {
        for right in [
            "correct horse battery staple",
            "hf73kq0z",
            "übermäßig stille Quallen",
            "夜明け前の静かな図書館",
            "  🦀 🐙 🦑 🐡  ",
        ] {
            assert_eq!(rule(&PasswordPolicy::default(), right), None, "{right}");
        }
    }

    #[test]
    fn eight_characters_are_the_least_unless_a_pool_asks_for_more() {
        assert_eq!(rule(&PasswordPolicy::default(), "hf73kq0"), Some(PasswordRule::TooShort));
        let longer = PasswordPolicy::default().with_min_length(15).unwrap();
        assert_eq!(rule(&longer, "hf73kq0z91mvx2"), Some(PasswordRule::TooShort));
        assert_eq!(rule(&longer, "hf73kq0z91mvx2p"), None);
        assert!(check(&longer, "hf73kq0z").unwrap().detail.contains("15"));
        assert!(PasswordPolicy::default().with_min_length(7).is_none());
        assert!(PasswordPolicy::default().with_min_length(65).is_none());
    }

    #[test]
    fn common_passwords_are_refused_in_any_case() {
        for common in ["password", "Password1", "12345678", "QWERTYUIOP", "iloveyou", "trustno1"] {
            assert!(
                matches!(
                    rule(&PasswordPolicy::default(), common),
                    Some(PasswordRule::TooCommon | PasswordRule::TooGuessable)
                ),
                "{common}"
            );
        }
        assert_eq!(rule(&PasswordPolicy::default(), "trustno1"), Some(PasswordRule::TooCommon));
    }

    #[test]
    fn guessable_passwords_are_refused_with_a_hint() {
        for guessable in ["aaaaaaaaaaaa", "abcdefghijk", "zxcvbnm,./", "P@ssw0rd1", "20121985"] {
            assert!(rule(&PasswordPolicy::default(), guessable).is_some(), "{guessable}");
        }
        let error = check(&PasswordPolicy::default(), "aaaaaaaaaaaa").unwrap();
        assert!(error.detail.starts_with("This password is too easy to guess. Repeats"), "{}", error.detail);
    }

    #[test]
    fn the_score_that_is_asked_for_is_a_setting() {
        let strict = PasswordPolicy::default().with_min_score(4).unwrap();
        assert_eq!(rule(&strict, "hf73kq0z"), Some(PasswordRule::TooGuessable));
        assert_eq!(rule(&strict, "correct horse battery staple"), None);
        assert!(PasswordPolicy::default().with_min_score(1).is_none());
        assert!(PasswordPolicy::default().with_min_score(5).is_none());
    }

    #[test]
    fn what_others_know_of_the_person_is_no_part_of_a_password() {
        for telling in [
            "my ANN.HARA@bookshop.example 7",
            "hara and the seven seas",
            "xx bookshop xx 8812",
            "the ONEILL? no: o'neill 42",
            "Ｌｉｇｈｔｈｏｕｓｅ keeper 9",
        ] {
            let found = rule(&PasswordPolicy::default(), telling);
            assert_eq!(found, Some(PasswordRule::ContainsPersonalData), "{telling}");
        }
        // Too short to tell anything: it may be a part of any word.
        assert_eq!(rule(&PasswordPolicy::default(), "planning annual zoetropes"), None);
    }

    #[test]
    fn composition_is_asked_for_only_where_a_pool_asks() {
        let asking = |asks_for| PasswordPolicy { asks_for, ..PasswordPolicy::default() };
        let all = asking(CharacterKind::ALL.to_vec());
        for (password, lacks) in [
            ("QUIET OTTERS 7!", Some(PasswordRule::NeedsLowerCase)),
            ("quiet otters 7!", Some(PasswordRule::NeedsUpperCase)),
            ("Quiet otters !", Some(PasswordRule::NeedsDigit)),
            ("Quiet otters 7", Some(PasswordRule::NeedsSymbol)),
            ("Quiet otters 7!", None),
        ] {
            assert_eq!(rule(&all, password), lacks, "{password}");
        }
        assert_eq!(rule(&asking(vec![CharacterKind::Symbol]), "quiet otters & 7"), None);
    }
}
