//! What a search for a boosted model tries.

use crate::{Directions, Recipe};

/// What trees are grown on top of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StartFrom {
    /// The base rate.
    Rate,
    /// The logistic model, so that trees are left with what no weighted sum can say.
    Logistic,
}

/// One way to boost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Candidate {
    pub(crate) recipe: Recipe,
    pub(crate) follows_directions: bool,
    pub(crate) start: StartFrom,
}

/// For tables with many events.
const DEEP: Recipe =
    Recipe { leaves: 31, depth: 6, least_rows: 60.0, l2: 30.0, share_of_features: 0.3, ..Recipe::USUAL };

const DEEPEST: Recipe = Recipe { leaves: 63, depth: 10, least_rows: 50.0, l2: 10.0, ..Recipe::USUAL };

/// Few leaves, wherever they gain most: paths as long as they need be.
const LEAFWISE: Recipe = Recipe {
    leaves: 10,
    depth: 9,
    learning_rate: 0.03,
    least_rows: 20.0,
    l2: 5.0,
    share_of_rows: 0.7,
    share_of_features: 0.45,
};

/// Few events bear no more than a few features at a time.
const TRIPLES: Recipe =
    Recipe { leaves: 8, depth: 3, learning_rate: 0.08, l2: 20.0, share_of_features: 0.3, ..Recipe::USUAL };

const PAIRS: Recipe = Recipe { leaves: 4, depth: 2, l2: 30.0, ..TRIPLES };

impl Candidate {
    /// In the order in which a search tries them, as far as its budget goes.
    const ALL: [Self; 8] = [
        Self::free(DEEP, StartFrom::Rate),
        Self::free(PAIRS, StartFrom::Logistic),
        Self::declared(TRIPLES),
        Self::free(DEEPEST, StartFrom::Rate),
        Self::free(Recipe::USUAL, StartFrom::Rate),
        Self::free(TRIPLES, StartFrom::Logistic),
        Self::declared(PAIRS),
        Self::free(LEAFWISE, StartFrom::Rate),
    ];

    const fn free(recipe: Recipe, start: StartFrom) -> Self {
        Self { recipe, follows_directions: false, start }
    }

    /// A weighted sum knows no directions, so these start from the rate.
    pub(crate) const fn declared(recipe: Recipe) -> Self {
        Self { recipe, follows_directions: true, start: StartFrom::Rate }
    }

    /// Whether both are of one kind: they differ in their recipes at most.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        self.follows_directions == other.follows_directions && self.start == other.start
    }

    /// The candidates that `directions` leave, each once.
    pub(crate) fn under(directions: Directions) -> Vec<Self> {
        let mut candidates: Vec<Self> = Vec::with_capacity(Self::ALL.len());
        for candidate in Self::ALL {
            let candidate = match directions {
                Directions::Tried => candidate,
                Directions::Declared => Self::declared(candidate.recipe),
                Directions::Ignored => Self { follows_directions: false, ..candidate },
            };
            if !candidates.contains(&candidate) {
                candidates.push(candidate);
            }
        }
        candidates
    }
}
