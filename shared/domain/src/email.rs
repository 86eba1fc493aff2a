//! Mail addresses.

/// A mail address that SES can send to: an ASCII local part (RFC 5321 dot-atom, at most 64 characters) at a domain
/// name with a dot (IDNA, kept as A-labels), 254 characters in all.
///
/// One mailbox has one [canonical](Email::canonical) form, and uniqueness is decided on that alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email(String);

const MAX_CHARACTERS: usize = 254;
const MAX_LOCAL_CHARACTERS: usize = 64;
const MAX_LABEL_CHARACTERS: usize = 63;

impl Email {
    /// Reads an address, with space around it removed.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (local, domain) = text.trim().rsplit_once('@')?;
        let domain = idna::domain_to_ascii_cow(domain.as_bytes(), idna::AsciiDenyList::STD3).ok()?;
        let is_one = is_dot_atom(local) && is_domain_name(&domain) && local.len() + 1 + domain.len() <= MAX_CHARACTERS;
        is_one.then(|| Self(format!("{local}@{domain}")))
    }

    /// Where mail goes: the local part as it was typed, since only its own server knows whether case matters there.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What identifies the mailbox here: lower case throughout, so that spellings cannot make two accounts of one mailbox.
    #[must_use]
    pub fn canonical(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

fn is_dot_atom(local: &str) -> bool {
    let is_atom = |atom: &str| {
        !atom.is_empty()
            && atom.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte))
    };
    // A mail program that decodes RFC 2047 in an address would send to another one.
    local.len() <= MAX_LOCAL_CHARACTERS && !local.contains("=?") && local.split('.').all(is_atom)
}

/// A host name with a dot, whose last label is one of letters, as every top-level domain is: `user@127.0.0.1` is no mailbox.
fn is_domain_name(domain: &str) -> bool {
    let is_label = |label: &str| {
        (1..=MAX_LABEL_CHARACTERS).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
    };
    let is_top_level = |label: &str| label.starts_with("xn--") || label.bytes().all(|byte| byte.is_ascii_alphabetic());
    domain.contains('.') && domain.split('.').all(is_label) && domain.rsplit('.').next().is_some_and(is_top_level)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_mailbox_have_one_canonical_form() {
        let spellings = ["ann@example.com", " Ann@Example.COM\t", "ANN@ｅxample.com", "ann@example。com"];
        for spelling in spellings {
            assert_eq!(Email::parse(spelling).map(|email| email.canonical()).as_deref(), Some("ann@example.com"));
        }
    }

    #[test]
    fn mail_goes_to_the_local_part_as_typed_at_the_a_label_domain() {
        assert_eq!(
            Email::parse("Ann.O'Hara+news@Bücher.example").unwrap().as_str(),
            "Ann.O'Hara+news@xn--bcher-kva.example"
        );
    }

    #[test]
    fn addresses_that_cannot_be_sent_to_are_refused() {
        let long_local = format!("{}@example.com", "a".repeat(65));
        let long_label = format!("a@{}.com", "a".repeat(64));
        let of_255_characters =
            format!("{}@{}.com", "a".repeat(64), ["a".repeat(61), "b".repeat(61), "c".repeat(62)].join("."));
        assert_eq!(of_255_characters.len(), 255);
        let wrong = [
            "",
            "@",
            "ann",
            "ann@",
            "@example.com",
            "ann@localhost",
            "ann@example..com",
            "ann@example.com.",
            "ann@-a.com",
            "a..b@example.com",
            ".a@example.com",
            "a.@example.com",
            "a b@example.com",
            "\"a\"@example.com",
            "a@b@example.com",
            "ann@127.0.0.1",
            "ann@0x7f.0x1",
            "=?utf-8?q?a=40evil.example=3e=20?=@example.com",
            "ann@[127.0.0.1]",
            "ann\0@example.com",
            "ann@exam\0ple.com",
            "ann@example.com\r\nBcc: x@y.z",
            "аnn@example.com",
            "ann＠example.com",
            "ann@exa mple.com",
            "ann@ex_ample.com",
            "ann@example.com/",
            "<a@example.com>",
            &long_local,
            &long_label,
            &of_255_characters,
        ];
        for wrong in wrong {
            assert_eq!(Email::parse(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn an_address_of_254_characters_is_taken() {
        let longest = format!("{}@{}.com", "a".repeat(64), ["a".repeat(61), "b".repeat(61), "c".repeat(61)].join("."));
        assert_eq!(longest.len(), 254);
        assert!(Email::parse(&longest).is_some());
    }
}
