//! The rules: what stands before a word makes it stronger, weaker or its opposite. Numbers are those of the source.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::lexicon::{emoji, valence};

const BOOST: f64 = 0.293;
const CAPITALS: f64 = 0.733;
const NEGATION: f64 = -0.74;
const NEVER_SO: f64 = 1.25;
const EXCLAMATION: f64 = 0.292;
const MAX_EXCLAMATIONS: usize = 4;
const QUESTION: f64 = 0.18;
const MAX_QUESTIONS: usize = 3;
const MANY_QUESTIONS: f64 = 0.96;
/// What a booster loses with one and two words between it and its word.
const DAMPED: [f64; 3] = [1.0, 0.95, 0.9];
/// About the largest sum that is expected.
const ALPHA: f64 = 15.0;

const NEGATIONS: [&str; 59] = [
    "aint",
    "arent",
    "cannot",
    "cant",
    "couldnt",
    "darent",
    "didnt",
    "doesnt",
    "ain't",
    "aren't",
    "can't",
    "couldn't",
    "daren't",
    "didn't",
    "doesn't",
    "dont",
    "hadnt",
    "hasnt",
    "havent",
    "isnt",
    "mightnt",
    "mustnt",
    "neither",
    "don't",
    "hadn't",
    "hasn't",
    "haven't",
    "isn't",
    "mightn't",
    "mustn't",
    "neednt",
    "needn't",
    "never",
    "none",
    "nope",
    "nor",
    "not",
    "nothing",
    "nowhere",
    "oughtnt",
    "shant",
    "shouldnt",
    "uhuh",
    "wasnt",
    "werent",
    "oughtn't",
    "shan't",
    "shouldn't",
    "uh-uh",
    "wasn't",
    "weren't",
    "without",
    "wont",
    "wouldnt",
    "won't",
    "wouldn't",
    "rarely",
    "seldom",
    "despite",
];

const BOOSTERS: [&str; 60] = [
    "absolutely",
    "amazingly",
    "awfully",
    "completely",
    "considerable",
    "considerably",
    "decidedly",
    "deeply",
    "effing",
    "enormous",
    "enormously",
    "entirely",
    "especially",
    "exceptional",
    "exceptionally",
    "extreme",
    "extremely",
    "fabulously",
    "flipping",
    "flippin",
    "frackin",
    "fracking",
    "fricking",
    "frickin",
    "frigging",
    "friggin",
    "fully",
    "fuckin",
    "fucking",
    "fuggin",
    "fugging",
    "greatly",
    "hella",
    "highly",
    "hugely",
    "incredible",
    "incredibly",
    "intensely",
    "major",
    "majorly",
    "more",
    "most",
    "particularly",
    "purely",
    "quite",
    "really",
    "remarkably",
    "so",
    "substantially",
    "thoroughly",
    "total",
    "totally",
    "tremendous",
    "tremendously",
    "uber",
    "unbelievably",
    "unusually",
    "utter",
    "utterly",
    "very",
];

const DAMPERS: [&str; 24] = [
    "almost",
    "barely",
    "hardly",
    "just enough",
    "kind of",
    "kinda",
    "kindof",
    "kind-of",
    "less",
    "little",
    "marginal",
    "marginally",
    "occasional",
    "occasionally",
    "partly",
    "scarce",
    "scarcely",
    "slight",
    "slightly",
    "somewhat",
    "sort of",
    "sorta",
    "sortof",
    "sort-of",
];

const IDIOMS: [(&str, f64); 9] = [
    ("the shit", 3.0),
    ("the bomb", 3.0),
    ("bad ass", 1.5),
    ("badass", 1.5),
    ("bus stop", 0.0),
    ("yeah right", -2.0),
    ("kiss of death", -1.5),
    ("to die for", 3.0),
    ("beating heart", 3.5),
];

/// VADER's compound score, within -1 (angry) to 1 (glad); 0 for a text without any word of the lexicon.
pub(crate) fn compound(text: &str) -> f64 {
    let text = in_words(text);
    let said: Vec<Word> = text.split_whitespace().map(Word::of).collect();
    let n_capitals = said.iter().filter(|word| word.is_capitals).count();
    let some_capitals = 0 < n_capitals && n_capitals < said.len();
    let mut valences: Vec<f64> = (0..said.len()).map(|at| Place { said: &said, at, some_capitals }.valence()).collect();
    weigh_but(&said, &mut valences);
    let sum: f64 = valences.iter().sum();
    let emphasis = emphasis(&text);
    let sum = if sum > 0.0 {
        sum + emphasis
    } else if sum < 0.0 {
        sum - emphasis
    } else {
        return 0.0;
    };
    (sum / (sum * sum + ALPHA).sqrt()).clamp(-1.0, 1.0)
}

/// The text with words for its emoji.
fn in_words(text: &str) -> String {
    let mut all = String::with_capacity(text.len());
    let mut after_blank = true;
    for character in text.chars() {
        if let Some(words) = emoji(character) {
            if !after_blank {
                all.push(' ');
            }
            all.push_str(words);
            after_blank = false;
        } else {
            all.push(character);
            after_blank = character == ' ';
        }
    }
    all
}

struct Word {
    lower: String,
    is_capitals: bool,
    /// As the lexicon lists it.
    valence: Option<f64>,
    /// What it adds to a positive word that it stands before; `None` where it is no booster.
    boost: Option<f64>,
}

impl Word {
    /// Without the punctuation around it, unless too little is left: then it is an emoticon.
    fn of(token: &str) -> Self {
        let stripped = token.trim_matches(|c: char| c.is_ascii_punctuation());
        let word = if stripped.chars().nth(2).is_none() { token } else { stripped };
        let is_capitals = word.chars().any(char::is_uppercase) && !word.chars().any(char::is_lowercase);
        let lower = word.to_lowercase();
        Self { is_capitals, valence: valence(&lower), boost: boost(&lower), lower }
    }

    fn is(&self, text: &str) -> bool {
        self.lower == text
    }

    fn is_one_of(&self, texts: &[&str]) -> bool {
        texts.contains(&self.lower.as_str())
    }

    fn negates(&self) -> bool {
        self.is_one_of(&NEGATIONS) || self.lower.contains("n't")
    }

    const fn is_listed(&self) -> bool {
        self.valence.is_some()
    }
}

/// Looked up, never walked.
static BOOSTS: LazyLock<HashMap<&str, f64>> = LazyLock::new(|| {
    let (boosts, dampers) = (BOOSTERS.iter().map(|&word| (word, BOOST)), DAMPERS.iter().map(|&word| (word, -BOOST)));
    boosts.chain(dampers).collect()
});

/// What a word, or several, add to a positive word that they stand before; `None` where they are no booster.
fn boost(text: &str) -> Option<f64> {
    BOOSTS.get(text).copied()
}

fn idiom(text: &str) -> Option<f64> {
    IDIOMS.iter().find(|(words, _)| *words == text).map(|(_, valence)| *valence)
}

/// One word among what is said.
struct Place<'a> {
    said: &'a [Word],
    at: usize,
    /// Some words are in capitals and others not.
    some_capitals: bool,
}

impl Place<'_> {
    /// The word so many places before.
    fn before(&self, n: usize) -> Option<&Word> {
        self.at.checked_sub(n).map(|at| &self.said[at])
    }

    fn is_before(&self, n: usize, texts: &[&str]) -> bool {
        self.before(n).is_some_and(|word| word.is_one_of(texts))
    }

    fn after(&self, n: usize) -> Option<&Word> {
        self.said.get(self.at + n)
    }

    /// Several words, the first and the last so many places before this one, as one text.
    fn phrase(&self, first: usize, last: usize) -> String {
        let words: Vec<&str> =
            self.said[self.at - first..=self.at - last].iter().map(|word| word.lower.as_str()).collect();
        words.join(" ")
    }

    fn valence(&self) -> f64 {
        let word = &self.said[self.at];
        let is_kind_of = word.is("kind") && self.after(1).is_some_and(|next| next.is("of"));
        let Some(listed) = word.valence.filter(|_| word.boost.is_none() && !is_kind_of) else {
            return 0.0;
        };
        let mut valence = listed;
        if word.is("no") && self.after(1).is_some_and(Word::is_listed) {
            valence = 0.0;
        }
        let no_either = self.is_before(3, &["no"]) && self.is_before(1, &["or", "nor"]);
        if self.is_before(1, &["no"]) || self.is_before(2, &["no"]) || no_either {
            valence = listed * NEGATION;
        }
        if word.is_capitals && self.some_capitals {
            valence += if valence > 0.0 { CAPITALS } else { -CAPITALS };
        }
        for n in 1..=3 {
            let Some(before) = self.before(n).filter(|before| !before.is_listed()) else { continue };
            valence += self.boosted_by(before, valence) * DAMPED[n - 1];
            valence = self.negated(n, before, valence);
            if n == 3 {
                valence = self.in_idiom(valence);
            }
        }
        let negated_by_least = self.is_before(1, &["least"]) && !self.is_before(2, &["at", "very"]);
        if negated_by_least && !self.said[self.at - 1].is_listed() { valence * NEGATION } else { valence }
    }

    fn boosted_by(&self, before: &Word, valence: f64) -> f64 {
        let Some(boost) = before.boost else { return 0.0 };
        let towards = if valence < 0.0 { -boost } else { boost };
        if !(before.is_capitals && self.some_capitals) {
            towards
        } else if valence > 0.0 {
            towards + CAPITALS
        } else {
            towards - CAPITALS
        }
    }

    /// `valence` after the word `n` places before was looked at.
    fn negated(&self, n: usize, before: &Word, valence: f64) -> f64 {
        const SO: [&str; 2] = ["so", "this"];
        let never_so = match n {
            2 => before.is("never") && self.is_before(1, &SO),
            // As in the source: `so` and `this` just before count here without any `never`.
            3 => (before.is("never") && self.is_before(2, &SO)) || self.is_before(1, &SO),
            _ => false,
        };
        let without_doubt = n > 1 && before.is("without") && (1..n).any(|between| self.is_before(between, &["doubt"]));
        if never_so {
            valence * NEVER_SO
        } else if !without_doubt && before.negates() {
            valence * NEGATION
        } else {
            valence
        }
    }

    /// `valence`, or that of an idiom which the word is part of; three words stand before it.
    fn in_idiom(&self, valence: f64) -> f64 {
        let before = [(1, 0), (2, 0), (2, 1), (3, 1), (3, 2)];
        let mut valence =
            before.into_iter().find_map(|(first, last)| idiom(&self.phrase(first, last))).unwrap_or(valence);
        let mut ahead = self.said[self.at].lower.clone();
        for next in [self.after(1), self.after(2)].into_iter().flatten() {
            ahead = format!("{ahead} {}", next.lower);
            valence = idiom(&ahead).unwrap_or(valence);
        }
        let boosts = [(3, 1), (3, 2), (2, 1)].into_iter().filter_map(|(first, last)| boost(&self.phrase(first, last)));
        boosts.fold(valence, |valence, boost| valence + boost)
    }
}

/// What comes before the first `but` counts half, what comes after it one and a half times. As in the source, a word's
/// place is that of the first one with its valence.
fn weigh_but(said: &[Word], valences: &mut [f64]) {
    let Some(but) = said.iter().position(|word| word.is("but")) else { return };
    for at in 0..valences.len() {
        let valence = valences[at];
        let first = valences.iter().position(|other| *other == valence).unwrap_or(at);
        if first < but {
            valences[first] = valence * 0.5;
        } else if first > but {
            valences[first] = valence * 1.5;
        }
    }
}

/// What exclamation and question marks add.
fn emphasis(text: &str) -> f64 {
    let count = |mark: u8| text.bytes().filter(|&byte| byte == mark).count();
    let questions = match count(b'?') {
        0 | 1 => 0.0,
        n if n <= MAX_QUESTIONS => n as f64 * QUESTION,
        _ => MANY_QUESTIONS,
    };
    count(b'!').min(MAX_EXCLAMATIONS) as f64 * EXCLAMATION + questions
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::compound;

    /// `compound` of `vaderSentiment` 3.3.2 on Python 3.11, which rounds to four digits.
    const REFERENCE: &[(&str, f64)] = &[
        ("VADER is smart, handsome, and funny.", 0.8316),
        ("VADER is smart, handsome, and funny!", 0.8439),
        ("VADER is very smart, handsome, and funny.", 0.8545),
        ("VADER is VERY SMART, handsome, and FUNNY.", 0.9227),
        ("VADER is VERY SMART, handsome, and FUNNY!!!", 0.9342),
        ("VADER is VERY SMART, uber handsome, and FRIGGIN FUNNY!!!", 0.9469),
        ("VADER is not smart, handsome, nor funny.", -0.7424),
        ("The book was good.", 0.4404),
        ("At least it isn't a horrible book.", 0.431),
        ("The book was only kind of good.", 0.3832),
        ("The plot was good, but the characters are uncompelling and the dialog is not great.", -0.7042),
        ("Today SUX!", -0.5461),
        ("Today only kinda sux! But I'll get by, lol", 0.5249),
        ("Make sure you :) or :D today!", 0.8633),
        ("Catch utf-8 emoji such as 💘 and 💋 and 😁", 0.875),
        ("Not bad at all", 0.431),
        ("Sentiment analysis has never been good.", -0.3412),
        ("Sentiment analysis has never been this good!", 0.5672),
        ("Most automated sentiment analysis tools are shit.", -0.5574),
        ("With VADER, sentiment analysis is the shit!", 0.6476),
        ("Other sentiment analysis tools can be quite bad.", -0.5849),
        ("On the other hand, VADER is quite bad ass", 0.802),
        ("VADER is such a badass!", 0.4003),
        ("Without a doubt, excellent idea.", 0.7013),
        ("Roger Dodger is one of the most compelling variations on this theme.", 0.2944),
        ("Roger Dodger is at least compelling as a variation on the theme.", 0.2263),
        ("Roger Dodger is one of the least compelling variations on this theme.", -0.1695),
        ("Not such a badass after all.", -0.2584),
        ("Without a doubt, an excellent idea.", 0.7013),
        ("", 0.0),
        ("   ", 0.0),
        ("??", 0.0),
        ("How do I export the report?", 0.0),
        ("Why is this still broken???", -0.5632),
        ("This is the third time the export failed and nobody answers!!!!!!", -0.6671),
        ("Thanks, that solved it perfectly.", 0.8481),
        ("No problem, thank you for the quick help", 0.4306),
        ("No, the sync is not working and we are very frustrated", -0.5709),
        ("The dashboard is slow, slow and slow", 0.0),
        ("I am extremely disappointed with the support", -0.1761),
        ("I'm sort of happy with the new release", 0.5279),
        ("We can't login since yesterday, urgent", 0.2023),
        ("Everything works great, but the invoice is wrong", -0.3818),
        ("Great, great, great but terrible", 0.3612),
        ("It was never so good", 0.6626),
        ("there is no doubt this is a good product", 0.6136),
        ("The least helpful answer", -0.3252),
        ("at the very least helpful", 0.4728),
        ("Outage AGAIN. This is UNACCEPTABLE!", -0.6155),
        ("we love it ❤️ and 👍", 0.6369),
        ("we hate it 😡", -0.5719),
        ("Kind of a bad idea", -0.5423),
        ("just enough good things here", 0.4404),
        ("he is not kind of good to us", -0.4017),
        ("to die for, that dessert was", -0.5994),
        ("The kiss of death for our rollout", 0.0772),
        ("yeah right, as if that helps", 0.5859),
        ("It is hardly a bad thing", -0.4976),
        ("I don't really hate it", 0.4964),
        ("bus stop happiness is here", 0.34),
        ("a beating heart of love", 0.7506),
        ("GOOD", 0.4404),
        ("good GOOD Bad", 0.4648),
        ("naïve façade — “great” value", 0.34),
        ("We are thinking about cancelling the contract.", -0.2023),
        ("Could you help us with the API? It looks promising!", 0.69),
        ("x", 0.0),
        ("ok", 0.296),
        ("\"excellent\" (really!) :-( :(", -0.3743),
        ("neither good nor bad", -0.5824),
        ("no good or bad news", 0.1139),
    ];

    #[test]
    fn the_score_is_that_of_the_reference() {
        for &(text, expected) in REFERENCE {
            let found = compound(text);
            assert!((found - expected).abs() <= 0.5001e-4, "{text}: {found} for {expected}");
        }
    }

    proptest! {
        /// Words that rules are about, in any order, beside texts of any characters.
        #[test]
        fn every_text_has_a_score_within_its_range(
            words in prop::collection::vec("(?i)no|not|never|so|this|without|doubt|least|at|very|kind|of|but|good|bad|:\\)|\\PC{0,4}", 0..12)
        ) {
            let score = compound(&words.join(" "));
            prop_assert!((-1.0..=1.0).contains(&score), "{}", score);
        }
    }
}
