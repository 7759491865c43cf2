//! Every rule of the audit, with its limits and where they come from.

use serde::Serialize;

/// One rule of the audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// Its name; a finding's id is this and the place.
    pub id: &'static str,
    /// `data`, `outcomes`, `features`, `leakage`, `split` or `waivers`.
    pub family: &'static str,
    /// What it finds.
    pub finds: &'static str,
    /// From when on it finds it, by severity.
    pub limits: &'static str,
    /// Why these limits, or their source.
    pub reason: &'static str,
    /// What to do about a finding.
    pub advice: &'static str,
}

/// Every rule of the audit.
pub static RULES: [Rule; 30] = [
    Rule {
        id: "rows-before-start",
        family: "data",
        finds: "rows of an account dated before its first day",
        limits: "error: 25 % of the source's rows; warning: 1 % of the rows, or 5 % of its accounts and 5 accounts; \
            note: any",
        reason: "a few are trials and clock skew; a quarter means that a date or key is not what it is declared as",
        advice: "check the date columns of both sources, and their key; leave out what is not the account's own",
    },
    Rule {
        id: "rows-before-via",
        family: "data",
        finds: "rows of an `account_via` source dated before the row that says whose they are",
        limits: "error: 25 % of the source's rows; warning: 1 %; note: any",
        reason: "such a row is only known later than its date; as rows-before-start",
        advice: "check the dates of both sources and the key that joins them",
    },
    Rule {
        id: "rows-after-end",
        family: "data",
        finds: "rows of an account more than 30 days after it left",
        limits: "warning: 5 % of the accounts that left so long before the data's end, and 5 accounts; note: any",
        reason: "30 days let a last invoice, survey or export pass; Gainsight users' idea 2341: measures go on after \
            churn and pollute what is learnt of it",
        advice: "check the date of leaving; freeze feeds on that day, or declare what comes later as another source",
    },
    Rule {
        id: "rows-after-data-end",
        family: "data",
        finds: "rows dated after the last day that every source is said to cover",
        limits: "warning: any more than 31 days after it; note: any",
        reason: "an export within a month has days of that month; a date beyond is wrong, or planned and no event",
        advice: "check the clock and the date's form; what is planned is no event",
    },
    Rule {
        id: "orphan-rows",
        family: "data",
        finds: "rows of no account, or of one that is not listed; they are left out",
        limits: "error: 25 % of the source's rows; warning: any; note: any, where `drop_missing_account` is set",
        reason: "a complete list of accounts leaves none over; a quarter means that the wrong key is declared",
        advice: "complete the accounts' source, or check the key's form",
    },
    Rule {
        id: "duplicate-rows",
        family: "data",
        finds: "events that are equal to another in every column of the file (not for `account_via` sources)",
        limits: "warning: 1 % of the rows of 200 drawn accounts; note: 0.1 %",
        reason: "counts and sums grow with the copies; below that, equal purchases on a day are as likely",
        advice: "drop the copies where the file is made; give events an id",
    },
    Rule {
        id: "gap",
        family: "data",
        finds: "whole weeks (months, quarters for sources that come so) with few rows of everybody",
        limits: "warning: at most a fifth of the medians of the eight periods before and of those after, which are \
            at least 50",
        reason: "Poisson: 10 rows where 50 are expected have probability 1e-11; feasts seldom take four fifths",
        advice: "deliver the missing rows, or leave the snapshots out that look back over the gap",
    },
    Rule {
        id: "feed-stops",
        family: "data",
        finds: "a source whose rows end, or fall to few, before the data's end",
        limits: "warning: a silence of 7 days and 3 times (snapshots: 1.5 times) the longest before; or, as gap, the \
            last periods",
        reason: "exponential gaps: 3 times the longest of n is rarer than n^-2; snapshots come regularly",
        advice: "deliver the missing days, or set `snapshots.data_end` to the last day that every source covers",
    },
    Rule {
        id: "unit-change",
        family: "data",
        finds: "a column whose values change scale from one month to the next, for good",
        limits: "error: every month's median size after is 5 times that of every month before, or a fifth; at least \
            2 months and 50 values each on both sides; the month of the step may lie between",
        reason: "seasons and growth move a median by less in a month; units differ by 7, 12, 24, 60, 100, 1000",
        advice: "bring all rows to one unit",
    },
    Rule {
        id: "backfilled",
        family: "data",
        finds: "rows that became known long after their date, many on one day",
        limits: "warning: 5 % of the rows more than 30 days late and known on one day; or a fifth of the rows more \
            than 90 days late",
        reason: "late feeds trickle; a migration arrives at once, and history then had no such rows",
        advice: "features of these months see nothing; begin the snapshots after the backfill, or leave the column out",
    },
    Rule {
        id: "late-rows",
        family: "data",
        finds: "how late rows are known after their date",
        limits: "note: any",
        reason: "it tells how old a nightly score's newest rows are",
        advice: "nothing: late rows are invisible before they were known",
    },
    Rule {
        id: "outcome-repeats",
        family: "outcomes",
        finds: "accounts with several churn events",
        limits: "warning: 5 % of the accounts with any, and 5 accounts; note: any",
        reason: "who left can't leave again without a return; a notice beside the leaving is one outcome twice",
        advice: "keep one row an outcome, filter by kind, or declare when an account is a customer in \
            `accounts.active`",
    },
    Rule {
        id: "outcome-disagrees",
        family: "outcomes",
        finds: "accounts whose state in a column of [[check.agree]] is not what the outcomes say",
        limits: "error: 5 % of the accounts; warning: 1 %; note: any",
        reason: "labels that are wrong in one case of twenty bound what any model can show",
        advice: "find out which of the two is right before anything is learnt from either",
    },
    Rule {
        id: "from-outcomes",
        family: "leakage",
        finds: "features that read the rows, or the file, that a target is read off",
        limits: "error: the file with another date, or undated; warning: the very rows of a churn; note: those of an \
            expansion",
        reason: "who churned has no more rows, so before it the count is 0, unless the outcome is recorded ahead; \
            past expansions are honest",
        advice: "take the feature out, or filter the outcome's own rows away",
    },
    Rule {
        id: "undated-attribute",
        family: "leakage",
        finds: "features from columns without a date of their own, which may have been overwritten after an outcome",
        limits: "note: any in a book with dates",
        reason: "one row an account says what is so now; nothing in the data tells what was so then",
        advice: "give the source one row a change, with the date from which it holds",
    },
    Rule {
        id: "knows-outcome",
        family: "leakage",
        finds: "a feature that alone tells who has the outcome",
        limits: "error: AUC of at least 0.95 with 99 % confidence, by row on training rows; 0.9 by account, of ever \
            having it, for undated columns",
        reason: "no published churn indicator comes near (the data sets here: at most 0.85 by whole models); by \
            account-clustered DeLong intervals, so that few rows don't alarm",
        advice: "find out on which day the value was written; take the feature out, or date it by that day",
    },
    Rule {
        id: "missing-knows-outcome",
        family: "leakage",
        finds: "a feature whose being missing tells who has the outcome",
        limits: "error: AUC of at least 0.9 with 99 % confidence, by row, or by account for undated columns; \
            warning: 0.8",
        reason: "as knows-outcome; that something is missing is seldom worth more than 0.7",
        advice: "find out when the value was erased or never asked; take the feature out",
    },
    Rule {
        id: "too-good",
        family: "leakage",
        finds: "a feature that alone ranks better than all others together",
        limits: "error: AUC of at least 0.85, and 0.1 above the naive Bayes of the others; warning: 0.8 and 0.05; \
            all with 99 % confidence, in books of 5 features and more",
        reason: "a driver has company: what it drives is measured too; a value from the future stands alone",
        advice: "find out on which day the value was written; waive it if that was before the outcome",
    },
    Rule {
        id: "replay-differs",
        family: "leakage",
        finds: "features that change when rows of later days are deleted or corrupted",
        limits: "error: one bit in one value of the drawn accounts and days",
        reason: "invariant 1: a feature as of t reads nothing after t",
        advice: "this is a fault of bellwether: report it with the feature's declaration",
    },
    Rule {
        id: "constant",
        family: "features",
        finds: "features with one value in all training rows",
        limits: "warning: any",
        reason: "it tells nothing, and a later second value was never learnt from",
        advice: "take the feature out, or check its column and filter",
    },
    Rule {
        id: "duplicate",
        family: "features",
        finds: "features that are equal to another in every row",
        limits: "warning: any",
        reason: "importance is shared between the two and weights are not unique",
        advice: "take one of the two out",
    },
    Rule {
        id: "near-duplicate",
        family: "features",
        finds: "features that rank the rows as another does",
        limits: "note: Spearman's correlation of at least 0.99 in size, on at most 5,000 training rows",
        reason: "as duplicate; trees see nothing but ranks",
        advice: "keep the one that is easier to explain",
    },
    Rule {
        id: "missing-jump",
        family: "features",
        finds: "a snapshot day from which a feature is missing far more often than on the one before",
        limits: "warning: 20 points more with z >= 5, for 50 rows and more on both days",
        reason: "a binomial z of 5 comes by chance once in 3 million",
        advice: "look for a column that was dropped or renamed that month",
    },
    Rule {
        id: "drift",
        family: "features",
        finds: "snapshot days on which a feature is distributed otherwise than in training",
        limits: "warning: PSI of at least 2 on every day of 3 months after training; note: 0.25 on any day; both \
            above what chance gives, for 50 rows and more on the day, in a split by time",
        reason: "PSI over training deciles, half a row added to each bin; chance: chi-squared(bins - 1; 0.9999) x \
            (1/accounts in training + 1/rows), Yurdakul (2018); 0.25 is the custom of credit scoring; at 2 hardly a \
            bin is shared, and a season passes within 3 months",
        advice: "if its cause is the data, correct it; if the world changed, train on later days",
    },
    Rule {
        id: "split-ignores-time",
        family: "split",
        finds: "a random or grouped split of a book with dates",
        limits: "note: any",
        reason: "the model then learns from days after those it is tested on",
        advice: "use split.kind = \"time\" where history allows it",
    },
    Rule {
        id: "short-purge",
        family: "split",
        finds: "less than the horizon between the days before and those of the test part",
        limits: "error: any",
        reason: "outcomes of training rows would fall into the days that are tested on",
        advice: "raise split.purge_days to the horizon or more",
    },
    Rule {
        id: "account-overlap",
        family: "split",
        finds: "accounts with rows in two parts of a split that is to keep accounts apart",
        limits: "error: any",
        reason: "what is known of the account by heart then counts as skill",
        advice: "group by a text that does not change in an account's life",
    },
    Rule {
        id: "shared-rows",
        family: "split",
        finds: "accounts whose rows in a source are those of another account",
        limits: "error: 1 % of the accounts, in two parts of a random or grouped split; warning: 1 %; note: any; all \
            for 10 rows and more an account",
        reason: "ten equal rows on ten days are one customer under two ids: it is counted twice, and tested on what \
            was learnt",
        advice: "give both one account id, or keep them together with split.kind = \"grouped\"",
    },
    Rule {
        id: "few-events",
        family: "split",
        finds: "parts with few events, few other rows, or few events a feature",
        limits: "warning: below 50 accounts with either label in a part; note: below 10 training accounts with the \
            outcome a feature",
        reason: "below 50 an interval of AUC is wider than 0.15; 10 events a variable: Peduzzi et al. (1996); 20+ \
            inputs are a pitfall (requirements I-03)",
        advice: "take more history or fewer features",
    },
    Rule {
        id: "waiver-unused",
        family: "waivers",
        finds: "waivers in book.toml that no finding has",
        limits: "warning: any",
        reason: "a waiver that stays is one that hides the next finding",
        advice: "take the waiver out, or correct its id",
    },
];

/// The rule of this id.
pub(super) fn rule(id: &str) -> &'static Rule {
    RULES.iter().find(|rule| rule.id == id).expect("every finding is of a rule of the catalogue")
}
