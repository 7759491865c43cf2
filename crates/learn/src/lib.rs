//! Fits scorecard, logistic, tree, forest and boosted models behind one trait.
