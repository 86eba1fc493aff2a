use std::path::Path;

use freehold_domain::appearance::{Appearance, WebAddress};
use freehold_domain::challenge::{MailedSecrets, Purpose};
use freehold_domain::email::Email;
use freehold_domain::language::Language;
use freehold_domain::mail::{Kind, Mail, Notification};
use freehold_domain::name::DisplayName;
use freehold_domain::public_url::Origin;
use freehold_domain::{Error, MailId, Timestamp, UserId};
use minijinja::{Environment, Value, context};
use serde::Deserialize;
use time::OffsetDateTime;

use crate::StartError;

const LAYOUT_TEXT: (&str, &str) = ("layout.txt", include_str!("layout.txt"));
const LAYOUT_HTML: (&str, &str) = ("layout.html", include_str!("layout.html"));

fn bundled_words(language: Language) -> &'static str {
    match language {
        Language::English => include_str!("words/en.json"),
        Language::German => include_str!("words/de.json"),
        Language::French => include_str!("words/fr.json"),
        Language::Spanish => include_str!("words/es.json"),
        Language::Portuguese => include_str!("words/pt.json"),
        Language::Japanese => include_str!("words/ja.json"),
    }
}

/// What mails say in one language. Each text is a template of its own, and a mail is named for what has happened.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    greeting: String,
    verify_email: Question,
    reset_password: Question,
    password_changed: Notice,
    change_email: Question,
    email_changed: Question,
    email_change_undone: Notice,
    account_deletion: Question,
    account_deleted: Notice,
}

/// What a mail says that asks something.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    subject: String,
    before: Vec<String>,
    button: String,
    /// Absent, where the link alone answers: what it does can wait until its reader is at a browser.
    code_sentence: Option<String>,
    after: Vec<String>,
}

/// What a mail says that tells something.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Notice {
    subject: String,
    sentences: Vec<String>,
}

/// What a mail is about, with what only its reader may know.
pub enum Content {
    /// It asks something, and carries what answers it.
    Question(Purpose, MailedSecrets),
    /// It tells something.
    Notice(Notification),
}

/// A mail, written out.
pub struct Letter {
    /// The subject line.
    pub subject: String,
    /// The plain text body; nothing, where a function of the owner's wrote the mail, which is HTML as in Cognito.
    pub text: Option<String>,
    /// The HTML body.
    pub html: String,
}

/// The layout of all mail, and its words in every language.
pub struct Templates {
    layout_text: String,
    layout_html: String,
    words: Vec<(Language, Words)>,
}

impl Templates {
    /// The templates that come with Freehold, but for those that a folder has under the same names: `layout.html`,
    /// `layout.txt`, and `en.json` and its like for the words.
    ///
    /// # Errors
    /// [`StartError`], where a file of the folder cannot be read, or does not have the words of all mails.
    pub fn load(folder: Option<&Path>) -> Result<Self, StartError> {
        let read = |name: &str, bundled: &str| match folder.map(|folder| folder.join(name)) {
            Some(path) if path.exists() => std::fs::read_to_string(&path)
                .map_err(|error| StartError::new(format!("MAIL_TEMPLATES: {name} cannot be read: {error}"))),
            _ => Ok(bundled.to_owned()),
        };
        let words = |language: Language| {
            let name = format!("{}.json", language.tag());
            let words = serde_json::from_str(&read(&name, bundled_words(language))?);
            words
                .map(|words| (language, words))
                .map_err(|error| StartError::new(format!("MAIL_TEMPLATES: {name} is not as it must be: {error}")))
        };
        Ok(Self {
            layout_text: read(LAYOUT_TEXT.0, LAYOUT_TEXT.1)?,
            layout_html: read(LAYOUT_HTML.0, LAYOUT_HTML.1)?,
            words: Language::ALL.into_iter().map(words).collect::<Result<_, _>>()?,
        })
    }

    /// Writes a mail out, in its own language or the pool's. Its link is built from where the pool stands on the web, and
    /// what people chose is escaped.
    ///
    /// # Errors
    /// [`Error::Internal`], where a template is broken.
    pub fn write(
        &self,
        mail: &Mail,
        content: &Content,
        appearance: &Appearance,
        public_url: &Origin,
    ) -> Result<Letter, Error> {
        let language = mail.language.unwrap_or(appearance.language);
        let words = self.words.iter().find(|(known, _)| *known == language).map(|(_, words)| words);
        let words = words.ok_or_else(|| Error::internal("there are no words in the language of a mail"))?;
        let product = appearance.product.as_ref().map(DisplayName::as_str);
        let name = mail.name.as_ref().and_then(DisplayName::for_greeting);
        let known = context! { name, product, address => mail.to.as_str(), date => day_of(mail.expires_at) };
        let say = |template: &String| render("sentence.txt", template, &known);
        let say_all = |templates: &[String]| templates.iter().map(say).collect::<Result<Vec<_>, _>>();

        let (subject, said) = match content {
            Content::Question(purpose, secrets) => {
                let words = match purpose {
                    Purpose::VerifyEmail => &words.verify_email,
                    Purpose::ResetPassword => &words.reset_password,
                    Purpose::ChangeEmail => &words.change_email,
                    Purpose::UndoEmailChange => &words.email_changed,
                    Purpose::KeepAccount => &words.account_deletion,
                };
                let code_sentence = words.code_sentence.as_ref().map(say).transpose()?;
                let answer = context! {
                    link => link(mail, *purpose, secrets, public_url),
                    button => say(&words.button)?,
                    code => code_sentence.is_some().then(|| secrets.code.expose()),
                    code_sentence,
                };
                let (before, after) = (say_all(&words.before)?, say_all(&words.after)?);
                (say(&words.subject)?, context! { before, answer, after })
            }
            Content::Notice(notification) => {
                let words = match notification {
                    Notification::PasswordChanged => &words.password_changed,
                    Notification::EmailChangeUndone => &words.email_change_undone,
                    Notification::AccountDeleted => &words.account_deleted,
                };
                (say(&words.subject)?, context! { before => say_all(&words.sentences)? })
            }
        };
        let said = context! {
            subject => subject.as_str(),
            greeting => say(&words.greeting)?,
            language => language.tag(),
            product,
            logo => appearance.logo.as_ref().map(WebAddress::as_str),
            colour => appearance.colour.to_string(),
            colour_of_text => appearance.colour.of_text().to_string(),
            ..said
        };
        let (text, html) =
            (render("mail.txt", &self.layout_text, &said)?, render("mail.html", &self.layout_html, &said)?);
        Ok(Letter { subject, text: Some(text), html })
    }
}

/// The link that answers a mail.
pub(crate) fn link(mail: &Mail, purpose: Purpose, secrets: &MailedSecrets, public_url: &Origin) -> String {
    let path = match purpose {
        Purpose::VerifyEmail => "verify-email",
        Purpose::ResetPassword => "password/reset",
        Purpose::ChangeEmail => "email/confirm",
        Purpose::UndoEmailChange => "email/undo",
        Purpose::KeepAccount => "account/keep",
    };
    format!("{}/{path}?user={}&token={}", public_url.as_str(), mail.user, secrets.token.expose())
}

/// Every mail in every language, to somebody made up.
pub(crate) fn samples(
    templates: &Templates,
    appearance: &Appearance,
    public_url: &Origin,
) -> Result<Vec<(Language, Letter)>, Error> {
    let moment = Timestamp::from_seconds(0);
    let to = Email::parse("alice@example.com").ok_or_else(|| Error::internal("the address of a sample is none"))?;
    let questions = Purpose::ALL
        .map(|purpose| (Kind::Question(purpose), Content::Question(purpose, MailedSecrets::generate(purpose))));
    let notices = Notification::ALL.map(|notification| (Kind::Notice(notification), Content::Notice(notification)));
    let mut letters = Vec::new();
    for (kind, content) in questions.into_iter().chain(notices) {
        for language in Language::ALL {
            let mail = Mail {
                id: MailId::new(moment),
                kind,
                user: UserId::new(moment),
                to: to.clone(),
                name: DisplayName::parse("Alice"),
                language: Some(language),
                sealed_secrets: None,
                is_repeated: false,
                sealed_metadata: None,
                expires_at: moment,
            };
            letters.push((language, templates.write(&mail, &content, appearance, public_url)?));
        }
    }
    Ok(letters)
}

/// The day of a moment in UTC, as ISO 8601 writes it.
fn day_of(moment: Timestamp) -> Option<String> {
    let seconds = i64::try_from(moment.as_seconds()).ok()?;
    Some(OffsetDateTime::from_unix_timestamp(seconds).ok()?.date().to_string())
}

/// The name decides the escaping: what ends in .html is escaped for HTML.
fn render(name: &str, template: &str, values: &Value) -> Result<String, Error> {
    Environment::new()
        .render_named_str(name, template, values)
        .map_err(|_| Error::internal("a template of a mail is broken"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use freehold_domain::appearance::Colour;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_767_225_600);
    const CHANGED: Notification = Notification::PasswordChanged;

    fn mail(kind: Kind, name: &str, language: Option<Language>) -> Mail {
        Mail {
            id: MailId::new(NOW),
            kind,
            user: UserId::new(NOW),
            to: Email::parse("o'hara&co@example.com").unwrap(),
            name: DisplayName::parse(name),
            language,
            sealed_secrets: None,
            is_repeated: false,
            sealed_metadata: None,
            expires_at: NOW,
        }
    }

    fn write(mail: &Mail, content: &Content, appearance: &Appearance) -> Letter {
        let public_url = Origin::parse("https://auth.example.com").unwrap();
        Templates::load(None).unwrap().write(mail, content, appearance, &public_url).unwrap()
    }

    fn question(name: &str) -> Letter {
        let content = Content::Question(Purpose::VerifyEmail, MailedSecrets::generate(Purpose::VerifyEmail));
        write(&mail(Kind::Question(Purpose::VerifyEmail), name, None), &content, &Appearance::default())
    }

    #[test]
    fn every_mail_is_whole_in_every_language() {
        for language in Language::ALL {
            let mut subjects = BTreeSet::new();
            for (purpose, path, has_code) in [
                (Purpose::VerifyEmail, "verify-email", true),
                (Purpose::ResetPassword, "password/reset", true),
                (Purpose::ChangeEmail, "email/confirm", true),
                (Purpose::UndoEmailChange, "email/undo", false),
                (Purpose::KeepAccount, "account/keep", false),
            ] {
                let secrets = MailedSecrets::generate(purpose);
                let (token, code) = (secrets.token.expose(), secrets.code.expose());
                let mail = mail(Kind::Question(purpose), "Ann", Some(language));
                let letter = write(&mail, &Content::Question(purpose, secrets), &Appearance::default());
                let link = format!("https://auth.example.com/{path}?user={}&token={token}\n", mail.user);
                assert!(letter.text.as_deref().unwrap().contains(&link), "{:?}", letter.text);
                assert_eq!(
                    letter.text.as_deref().unwrap().contains(&format!("\n{code}\n")),
                    has_code,
                    "{:?}",
                    letter.text
                );
                assert!(letter.html.contains(&format!("&amp;token={token}\"")), "{}", letter.html);
                assert_eq!(letter.html.contains(&code), has_code, "{}", letter.html);
                assert!(letter.html.contains(&format!("lang=\"{}\"", language.tag())));
                assert_eq!(
                    letter.text.as_deref().unwrap().contains("2026-01-01"),
                    purpose == Purpose::KeepAccount,
                    "{:?}",
                    letter.text
                );
                subjects.insert(check(&letter));
            }
            for notification in Notification::ALL {
                let mail = mail(Kind::Notice(notification), "Ann", Some(language));
                let letter = write(&mail, &Content::Notice(notification), &Appearance::default());
                assert!(
                    !letter.text.as_deref().unwrap().contains("http") && !letter.html.contains("href"),
                    "{}",
                    letter.html
                );
                subjects.insert(check(&letter));
            }
            assert_eq!(subjects.len(), 8, "{subjects:?}");
        }
    }

    /// What holds for any mail: its subject.
    fn check(letter: &Letter) -> String {
        assert!(letter.text.as_deref().unwrap().contains("Ann") && letter.html.contains("Ann"), "{:?}", letter.text);
        assert!(
            letter.text.as_deref().unwrap().contains("o'hara&co@example.com")
                && letter.html.contains("hara&amp;co@example.com")
        );
        for unsaid in ["\n\n\n", "{{", "{%", "undefined", "none"] {
            assert!(
                !letter.text.as_deref().unwrap().contains(unsaid) && !letter.subject.contains(unsaid),
                "{:?}",
                letter.text
            );
        }
        assert!(!letter.html.contains("{{") && !letter.html.contains("<img"), "{}", letter.html);
        letter.subject.clone()
    }

    #[test]
    fn words_that_are_not_whole_are_refused_at_the_start_by_the_name_of_their_file() {
        let folder = std::env::temp_dir().join(format!("freehold-words-{}", MailId::new(NOW)));
        std::fs::create_dir(&folder).unwrap();
        let mut words: serde_json::Value = serde_json::from_str(bundled_words(Language::German)).unwrap();
        let refusal = |words: &serde_json::Value| {
            std::fs::write(folder.join("de.json"), words.to_string()).unwrap();
            Templates::load(Some(&folder)).err().map(|error| error.to_string())
        };
        assert_eq!(refusal(&words), None);
        words.as_object_mut().unwrap().remove("email_changed");
        let refused = refusal(&words).unwrap();
        assert!(refused.starts_with("MAIL_TEMPLATES: de.json is not as it must be: missing field"), "{refused}");
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn no_two_languages_say_the_same() {
        let subjects = Language::ALL.map(|language| {
            let mail = mail(Kind::Notice(CHANGED), "Ann", Some(language));
            write(&mail, &Content::Notice(CHANGED), &Appearance::default()).subject
        });
        assert!(subjects.iter().all(|one| subjects.iter().filter(|other| one == *other).count() == 1), "{subjects:?}");
    }

    #[test]
    fn a_mail_without_a_language_is_in_the_pools() {
        let appearance = Appearance { language: Language::German, ..Appearance::default() };
        let letter = write(&mail(Kind::Notice(CHANGED), "Ann", None), &Content::Notice(CHANGED), &appearance);
        assert_eq!(letter.subject, "Ihr Passwort wurde geändert");
    }

    #[test]
    fn product_colour_and_logo_are_shown_and_the_mail_is_whole_without_pictures() {
        let appearance = Appearance {
            product: DisplayName::parse("Ann & Co"),
            colour: Colour::parse("#ffd600").unwrap(),
            logo: WebAddress::parse("https://example.com/logo.png?a=1&b=\"2\""),
            language: Language::English,
        };
        let content = Content::Question(Purpose::ResetPassword, MailedSecrets::generate(Purpose::ResetPassword));
        let letter = write(&mail(Kind::Question(Purpose::ResetPassword), "Ann", None), &content, &appearance);
        assert!(letter.text.as_deref().unwrap().starts_with("Ann & Co\n\nHello Ann,\n\n"), "{:?}", letter.text);
        assert!(letter.html.contains("background: #ffd600; color: #000000"), "{}", letter.html);
        assert!(letter.html.contains("alt=\"Ann &amp; Co\"") && !letter.html.contains("b=\"2\""), "{}", letter.html);
    }

    #[test]
    fn what_people_chose_is_escaped_in_html_alone() {
        let letter = question("<b>&\"Eve");
        assert!(letter.html.contains("&lt;b&gt;&amp;&quot;Eve") && !letter.html.contains("<b>&"), "{}", letter.html);
        assert!(letter.text.as_deref().unwrap().starts_with("Hello <b>&\"Eve,\n\n"), "{:?}", letter.text);
    }

    #[test]
    fn a_name_that_would_become_a_link_is_left_out() {
        let letter = question("https://evil.example");
        assert!(letter.text.as_deref().unwrap().starts_with("Hello,") && !letter.html.contains("evil"));
    }

    #[test]
    fn a_name_is_no_template() {
        let letter = question("{{ code }}{% raw %}");
        assert!(letter.text.as_deref().unwrap().starts_with("Hello {{ code }}{% raw %},"), "{:?}", letter.text);
    }
}
