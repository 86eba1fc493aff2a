//! The mail that was sent, and the queue of what could not be: kept to be read instead of delivered.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::StartError;

/// A mail as its reader would see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    /// The sender.
    #[serde(default)]
    pub from: String,
    /// The recipient.
    pub to: String,
    /// The subject line.
    pub subject: String,
    /// The plain text body.
    pub text: String,
    /// The HTML body; empty where there is none.
    pub html: String,
    /// When it was sent, as RFC 3339 writes it.
    pub sent_at: String,
}

/// How SES can be made to refuse mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SesFailure {
    /// SES is down: 503.
    Unavailable503,
    /// Too much mail at once: 429.
    Throttled,
    /// This mail will never be taken: 400 `MessageRejected`.
    Rejected,
}

/// A handle to the mail of one local instance; its clones share it.
#[derive(Debug, Clone, Default)]
pub struct Mailbox(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    mails: Vec<Mail>,
    queue: Vec<String>,
    failure: Option<SesFailure>,
    file: Option<File>,
}

impl Mailbox {
    /// A mailbox that outlives the process, in `mail.jsonl` of a folder. A last line that a crash cut off was never
    /// acknowledged: it is dropped, and its mail is sent again.
    pub(crate) fn in_folder(folder: &Path) -> Result<Self, StartError> {
        let path = folder.join("mail.jsonl");
        let unusable = |source| StartError::Data { path: path.clone(), source };
        let file = File::options().create(true).read(true).append(true).open(&path).map_err(unusable)?;
        let bytes = std::fs::read(&path).map_err(unusable)?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        file.set_len(whole as u64).map_err(unusable)?;
        let lines = String::from_utf8_lossy(&bytes[..whole]);
        let mails = lines.lines().map(serde_json::from_str).collect::<Result<_, _>>();
        let mails = mails.map_err(|error| unusable(error.into()))?;
        Ok(Self(Arc::new(Mutex::new(Kept { mails, file: Some(file), ..Kept::default() }))))
    }

    /// Every mail that was sent, the newest first.
    #[must_use]
    pub fn mails(&self) -> Vec<Mail> {
        self.kept().mails.iter().rev().cloned().collect()
    }

    /// The newest mail to a recipient.
    #[must_use]
    pub fn newest_to(&self, recipient: &str) -> Option<Mail> {
        self.kept().mails.iter().rfind(|mail| mail.to == recipient).cloned()
    }

    /// The bodies of the messages that the dead-letter queue received, the oldest first.
    #[must_use]
    pub fn dead_letters(&self) -> Vec<String> {
        self.kept().queue.clone()
    }

    /// Makes SES refuse every mail from now on, or take mail again.
    pub fn fail_with(&self, failure: Option<SesFailure>) {
        self.kept().failure = failure;
    }

    pub(crate) fn failure(&self) -> Option<SesFailure> {
        self.kept().failure
    }

    /// Keeps a mail, in the file first: whoever was told that it was sent finds it there after a crash.
    pub(crate) fn keep(&self, mail: Mail) -> std::io::Result<()> {
        let mut kept = self.kept();
        if let Some(file) = &mut kept.file {
            let line = serde_json::to_string(&mail)? + "\n";
            file.write_all(line.as_bytes())?;
        }
        kept.mails.push(mail);
        Ok(())
    }

    pub(crate) fn keep_dead_letter(&self, body: String) {
        self.kept().queue.push(body);
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(to: &str) -> Mail {
        Mail {
            from: "a@b.example".into(),
            to: to.into(),
            subject: "s".into(),
            text: "t\nu".into(),
            html: String::new(),
            sent_at: String::new(),
        }
    }

    #[test]
    fn mail_is_listed_newest_first_and_found_again_after_a_restart() {
        let folder = std::env::temp_dir().join(format!("freehold-mailbox-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let mailbox = Mailbox::in_folder(&folder).unwrap();
        mailbox.keep(mail("a@example.com")).unwrap();
        mailbox.keep(mail("b@example.com")).unwrap();
        drop(mailbox);

        let mailbox = Mailbox::in_folder(&folder).unwrap();
        mailbox.keep(mail("c@example.com")).unwrap();
        let recipients: Vec<_> = mailbox.mails().into_iter().map(|mail| mail.to).collect();
        assert_eq!(recipients, ["c@example.com", "b@example.com", "a@example.com"]);
        assert_eq!(mailbox.newest_to("b@example.com"), Some(mail("b@example.com")));
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_line_that_a_crash_cut_off_is_dropped() {
        let folder = std::env::temp_dir().join(format!("freehold-cut-mailbox-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Mailbox::in_folder(&folder).unwrap().keep(mail("a@example.com")).unwrap();
        let path = folder.join("mail.jsonl");
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, [&whole[..], b"{\"to\":\"b@exa"].concat()).unwrap();

        let mailbox = Mailbox::in_folder(&folder).unwrap();
        mailbox.keep(mail("c@example.com")).unwrap();
        let recipients = |mailbox: &Mailbox| mailbox.mails().into_iter().map(|mail| mail.to).collect::<Vec<_>>();
        assert_eq!(recipients(&mailbox), ["c@example.com", "a@example.com"]);
        assert_eq!(recipients(&Mailbox::in_folder(&folder).unwrap()), ["c@example.com", "a@example.com"]);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
