//! Words with their valence, and emoji with their words.

use std::collections::HashMap;
use std::sync::LazyLock;

/// Where the crate's lexicon is not that of `vaderSentiment` 3.3.2: two words came in, and of emoticons that differ in
/// their case alone only those in small letters are ever looked up.
const CORRECTIONS: [(&str, Option<f64>); 5] =
    [("heart", Some(3.2)), ("hearts", Some(3.3)), (":p", Some(1.0)), (":þ", None), (":-þ", None)];

/// Looked up, never walked.
static VALENCES: LazyLock<HashMap<String, f64>> = LazyLock::new(|| {
    let listed = vader_sentiment::LEXICON.iter();
    let mut valences: HashMap<String, f64> = listed.map(|(word, &valence)| (word.to_lowercase(), valence)).collect();
    for (word, valence) in CORRECTIONS {
        match valence {
            Some(valence) => valences.insert(word.to_owned(), valence),
            None => valences.remove(word),
        };
    }
    valences
});

/// The valence of a word in small letters, about -4 to 4; `None` for one that the lexicon does not list.
pub(super) fn valence(word: &str) -> Option<f64> {
    VALENCES.get(word).copied()
}

/// The words for an emoji.
pub(super) fn emoji(character: char) -> Option<&'static str> {
    // None has a code below that of the copyright sign.
    if character < '\u{a9}' {
        return None;
    }
    let mut bytes = [0; 4];
    vader_sentiment::EMOJI_LEXICON.get(&*character.encode_utf8(&mut bytes)).copied()
}
