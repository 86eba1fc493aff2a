/// What stands for the code in a message that a function of the owner's wrote.
const CODE: &str = "{####}";
/// What stands around the words of the link.
const LINK: (&str, &str) = ("{##", "##}");

/// Puts code and link into a message of HTML: `{####}` becomes the code, and `{##Words##}` a link with these words. Nothing, where
/// the message has neither, so that nobody could answer it.
pub(crate) fn fill(message: &str, code: &str, link: &str) -> Option<String> {
    let link = link.replace('&', "&amp;");
    let mut filled = String::new();
    let mut is_answerable = false;
    let mut rest = message;
    while let Some(at) = rest.find(LINK.0) {
        let (before, from) = rest.split_at(at);
        filled.push_str(before);
        if let Some(after) = from.strip_prefix(CODE) {
            filled.push_str(code);
            (is_answerable, rest) = (true, after);
        } else if let Some((words, after)) = from[LINK.0.len()..].split_once(LINK.1) {
            filled.extend(["<a href=\"", &link, "\">", words, "</a>"]);
            (is_answerable, rest) = (true, after);
        } else {
            rest = from;
            break;
        }
    }
    filled.push_str(rest);
    is_answerable.then_some(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: &str = "https://auth.example.com/verify-email?user=u&token=t";
    const HREF: &str = "https://auth.example.com/verify-email?user=u&amp;token=t";

    #[test]
    fn code_and_link_take_the_places_that_stand_for_them() {
        let filled = fill("<b>{####}</b> or {##Click Here##}, {####}", "12345678", LINK).unwrap();
        assert_eq!(filled, format!("<b>12345678</b> or <a href=\"{HREF}\">Click Here</a>, 12345678"));
        assert_eq!(fill("{##Verify##}", "1", LINK).unwrap(), format!("<a href=\"{HREF}\">Verify</a>"));
    }

    #[test]
    fn what_nobody_could_answer_is_no_message() {
        for message in ["", "Hello", "{###}", "{##no end", "####"] {
            assert_eq!(fill(message, "1", LINK), None, "{message}");
        }
        assert_eq!(fill("{####} {##no end", "1", LINK).unwrap(), "1 {##no end");
    }
}
