//! Text that other people wrote, made safe to stand in Markdown and in XML.

/// `text` on one line, without characters that XML forbids or that turn the direction of what follows.
pub(crate) fn clean(text: &str) -> String {
    let kept = |c: char| match c {
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
        '\u{2028}' | '\u{2029}' => ' ',
        c if c.is_control() => ' ',
        c => c,
    };
    text.chars().map(kept).collect()
}

/// `text` as Markdown that shows just these characters, anywhere but at the beginning of a block.
pub(crate) fn escape(text: &str) -> String {
    let text: Vec<char> = clean(text).chars().collect();
    let is_word = |place: Option<usize>| place.and_then(|at| text.get(at)).is_some_and(|c| c.is_alphanumeric());
    let escapes = |place: usize, c: char| match c {
        '\\' | '`' | '*' | '[' | ']' | '<' | '>' | '|' | '~' | '&' | '#' | '$' => true,
        // Within a word it is just a character, and `logins_30d` stays readable.
        '_' => !(is_word(place.checked_sub(1)) && is_word(Some(place + 1))),
        // Some pages make a link of what looks like an address.
        ':' => text.get(place + 1) == Some(&'/'),
        _ => false,
    };
    let mut escaped = String::with_capacity(text.len());
    for (place, &c) in text.iter().enumerate() {
        escaped.extend(escapes(place, c).then_some('\\'));
        escaped.push(c);
    }
    escaped
}

/// As [`escape`], where the text begins a block.
pub(crate) fn escape_block(text: &str) -> String {
    let escaped = escape(text.trim_start());
    let n_digits = escaped.chars().take_while(char::is_ascii_digit).count();
    match escaped.chars().nth(n_digits) {
        Some('-' | '+' | '=') if n_digits == 0 => format!("\\{escaped}"),
        Some('.' | ')') if n_digits > 0 => format!("{}\\{}", &escaped[..n_digits], &escaped[n_digits..]),
        _ => escaped,
    }
}

/// `text` as a code span that shows just these characters, outside tables.
pub(crate) fn code(text: &str) -> String {
    let text = clean(text);
    if text.trim().is_empty() {
        return "`(blank)`".to_owned();
    }
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    if longest == 0 && !(text.starts_with(' ') && text.ends_with(' ')) {
        return format!("`{text}`");
    }
    let fence = "`".repeat(longest + 1);
    format!("{fence} {text} {fence}")
}

/// As [`code`], inside a table; what a table's code spans cannot hold stands as plain text.
pub(crate) fn code_in_table(text: &str) -> String {
    if text.contains('|') && text.contains(['\\', '`']) { escape(text) } else { code(text).replace('|', "\\|") }
}

/// A list of these Markdown texts.
pub(crate) fn bullets(items: impl Iterator<Item = String>) -> String {
    items.flat_map(|item| ["- ".to_owned(), item, "\n".to_owned()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

    /// The texts of a table's only body cell, and whether anything but text was in it.
    fn cell(markdown: &str) -> (String, bool) {
        let table = format!("| a |\n|---|\n| {markdown} |\n");
        let (mut text, mut is_plain, mut inside) = (String::new(), true, false);
        for event in Parser::new_ext(&table, Options::ENABLE_TABLES) {
            match event {
                Event::End(TagEnd::TableHead) => inside = true,
                Event::Start(Tag::TableRow | Tag::TableCell) | Event::End(_) => {}
                Event::Text(part) | Event::Code(part) => text.extend(inside.then_some(part.as_ref())),
                _ if inside => is_plain = false,
                _ => {}
            }
        }
        (text, is_plain)
    }

    #[test]
    fn a_hostile_text_is_shown_as_it_is() {
        for text in
            ["<script>alert(1)</script>", "a|b", "`", "``x`", "*a* __b__", "[x](y)", "![x](y)", "&lt;", "\\", "a\\|b"]
        {
            assert_eq!(cell(&escape(text)), (text.to_owned(), true), "{}", escape(text));
        }
        for text in ["<script>alert(1)</script>", "a|b", "`", "``x`", "logins_30d", "x` y", "`|`", "a\\|b"] {
            assert_eq!(cell(&code_in_table(text)), (text.to_owned(), true), "{}", code_in_table(text));
        }
        assert_eq!(escape("logins_30d"), "logins_30d");
        assert_eq!(clean("a\nb\u{0}\u{202e}"), "a b \u{fffd}");
    }

    #[test]
    fn the_beginning_of_a_block_is_text() {
        for text in ["- a", "+ a", "---", "===", "# a", "> a", "12. a", "1) a", "    a", "``` a", "1.5 a"] {
            let blocks: Vec<Event<'_>> = Parser::new(&escape_block(text)).map(Event::into_static).collect();
            let inner = &blocks[1..blocks.len() - 1];
            assert!(matches!(blocks[0], Event::Start(Tag::Paragraph)), "{text}");
            assert!(inner.iter().all(|event| matches!(event, Event::Text(_))), "{text} {inner:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_survives(text in "[ -~äß\u{202e}\n]{1,20}") {
            let shown = clean(&text);
            let (from_escape, is_plain) = cell(&escape(&text));
            prop_assert!(is_plain);
            prop_assert_eq!(from_escape.trim(), shown.trim());
            let (from_code, is_plain) = cell(&code_in_table(&text));
            prop_assert!(is_plain);
            prop_assert!(shown.trim().is_empty() || from_code.trim() == shown.trim(), "{} {}", from_code, shown);
        }
    }
}
