//! What customers write: short sentences whose words are as glad or as angry as they are.

use crate::random::Random;

/// Sentences about `{}` from angry to glad. Their words are in the VADER lexicon; source of the lexicon: Hutto and Gilbert
/// (2014), ICWSM.
const TEMPLATES: [[&str; 4]; 5] = [
    [
        "This is terrible: {} is broken again and our team is very frustrated!",
        "Unacceptable, {} failed for the third time and nobody helps us.",
        "We hate this. The problem with {} is awful and we are losing trust.",
        "Our users are angry about {}, the worst experience that we have had!",
    ],
    [
        "We have a problem with {} and it is annoying.",
        "Sorry, but {} is confusing for our users.",
        "It is disappointing that {} failed again today.",
        "There is an error in {} and we are worried about it.",
    ],
    [
        "How do we set up {}?",
        "Please tell us where to find {}.",
        "We have a question about {}.",
        "Where can we change {} for one department?",
    ],
    [
        "Thanks, {} looks good, could you show us the advanced settings?",
        "We like {} and have one question on how to get more out of it.",
        "The new version of {} is helpful, thank you.",
        "Nice work on {}, please tell us how others use it.",
    ],
    [
        "We love {}, thanks for the great help!",
        "The team is very happy with {}, it is excellent.",
        "Fantastic work on {}, it is a pleasure to use!",
        "Perfect, {} saved us a day this week. Great support, thank you!",
    ],
];

/// Moods, in standard deviations, that part the five kinds of sentence.
const EDGES: [f64; 4] = [-1.3, -0.45, 0.45, 1.3];

/// A sentence about `subject` in the mood of the moment: `mood`, in standard deviations, and half as much of chance.
pub(crate) fn sentence(mood: f64, subject: &str, random: &mut Random) -> String {
    let mood = mood + 0.5 * random.normal();
    let kind = EDGES.iter().filter(|&&edge| mood > edge).count();
    random.one_of(&TEMPLATES[kind]).replace("{}", subject)
}
