//! Who was treated, and what became of them: V-04 and V-09.

use std::collections::BTreeSet;

use bellwether_book::{Facts, Intervention, InterventionsConfig};
use bellwether_core::{Band, Date, Outcome};
use bellwether_evaluate::Measured;
use bellwether_evaluate::guide::{
    Finding, GuideOptions, InterventionFindings, Interventions, intervention_findings, intervention_return,
};

use super::course::{Course, Health};
use super::{Unseen, missing, value};
use crate::failure::{Failure, Unexpected as _};

/// Kinds of interventions that are looked at one by one.
const MOST_KINDS: usize = 12;

/// The interventions of a book, by account and day.
pub(super) struct Treatments<'a> {
    all: &'a [Intervention],
    declared: &'a InterventionsConfig,
    /// Days after which is asked what became of an account.
    follow_days: i32,
}

impl<'a> Treatments<'a> {
    /// `None` where the book declares none.
    pub(super) fn of(unseen: &Unseen<'a>) -> Option<Self> {
        let file = unseen.book.file();
        let declared = file.config.evaluation.interventions.as_ref()?.get_ref();
        let follow_days = declared.follow_days.unwrap_or(file.horizon_days()) as i32;
        Some(Self { all: unseen.facts.interventions.as_deref()?, declared, follow_days })
    }

    /// Whether one that was done runs on one of the `days` days after `day`.
    pub(super) fn runs_within(&self, account: u32, day: Date, days: u32) -> bool {
        let first = day.plus_days(2 - self.declared.lasts_days as i32);
        self.done_within(account, first, day.plus_days(days as i32))
    }

    /// Whether one was done from `first` to `last`.
    fn done_within(&self, account: u32, first: Date, last: Date) -> bool {
        let from = self.all.partition_point(|of| (of.account, of.day) < (account, first));
        let mut within = self.all[from..].iter().take_while(|of| of.account == account && of.day <= last);
        within.any(|of| of.treated)
    }
}

/// What was found.
pub(super) struct Followed {
    pub(super) all: Measured<InterventionFindings>,
    pub(super) returned: Measured<Finding>,
    pub(super) by_kind: Vec<(String, InterventionFindings)>,
    pub(super) compared_with: String,
}

/// An account before and some time after a day.
#[derive(Clone)]
struct Case {
    account: u32,
    before: Health,
    after: Health,
    stayed: bool,
    treated: bool,
    kind: Option<String>,
}

pub(super) fn findings(
    unseen: &Unseen<'_>,
    course: &Course,
    treatments: Option<&Treatments<'_>>,
    options: &GuideOptions,
) -> Result<Followed, Failure> {
    let nothing = |what: &str| Followed {
        all: missing(what),
        returned: missing(what),
        by_kind: Vec::new(),
        compared_with: String::new(),
    };
    let Some(treatments) = treatments else {
        return Ok(nothing("what was done about accounts, [evaluation.interventions] in book.toml"));
    };
    if unseen.main_target(Outcome::Churn).is_none() || unseen.facts.churns.is_none() {
        return Ok(nothing("the book has no churn rule that tells the day of a churn"));
    }
    let follow_days = treatments.follow_days;
    let has_control = !treatments.declared.control.is_empty();
    let compared_with = if has_control {
        "red accounts that were chosen and left alone".to_owned()
    } else {
        format!("red rows without intervention in the {follow_days} days after")
    };
    let followed = Following { facts: unseen.facts, course, treatments };
    let cases = followed.cases(has_control);
    if !cases.iter().any(|case| case.treated) {
        return Ok(nothing(&format!(
            "no intervention follows a test row and lies {follow_days} days or more before the data's end"
        )));
    }
    let kinds: BTreeSet<&String> =
        cases.iter().filter(|case| case.treated).filter_map(|case| case.kind.as_ref()).collect();
    let mut by_kind = Vec::new();
    for kind in kinds.into_iter().take(MOST_KINDS) {
        let of_kind: Vec<&Case> =
            cases.iter().filter(|case| !case.treated || case.kind.as_ref() == Some(kind)).collect();
        by_kind.push((kind.clone(), measure(&of_kind, options)?));
    }
    let all = measure(&cases.iter().collect::<Vec<_>>(), options)?;
    let returned = returned(unseen, &all, &cases, options)?;
    Ok(Followed { all: Measured::Found(all), returned, by_kind, compared_with })
}

/// What interventions bring for what they cost, at the mean revenue of treated red accounts.
fn returned(
    unseen: &Unseen<'_>,
    found: &InterventionFindings,
    cases: &[Case],
    options: &GuideOptions,
) -> Result<Measured<Finding>, Failure> {
    let Some(arr) = &unseen.table.arr else { return Ok(missing("what an account is worth, [value] in book.toml")) };
    let costs = value::options(&unseen.book.file().config.evaluation.costs(), unseen.seed);
    if costs.contact_cost == 0.0 {
        return Ok(missing("what an intervention costs, [evaluation.costs] contact in book.toml"));
    }
    let is_counted = |case: &&Case| case.treated && case.before.band == Band::Red && arr[case.before.row].is_finite();
    let known: Vec<f64> = cases.iter().filter(is_counted).map(|case| arr[case.before.row]).collect();
    if known.is_empty() {
        return Ok(missing("no treated red account has a known revenue"));
    }
    let mean_arr = known.iter().sum::<f64>() / known.len() as f64;
    Ok(Measured::Found(intervention_return(found, mean_arr, &costs, options).unexpected("measuring interventions")?))
}

struct Following<'a> {
    facts: &'a Facts,
    course: &'a Course,
    treatments: &'a Treatments<'a>,
}

impl Following<'_> {
    /// Each intervention whose account had a score before it, and accounts to compare with.
    fn cases(&self, has_control: bool) -> Vec<Case> {
        let of_intervention = |of: &Intervention| {
            let before = *self.course.standing(of.account, of.day.plus_days(-1))?;
            // Who is treated later was not left alone.
            let next = of.day.plus_days(1);
            let is_clean = of.treated || !self.treatments.done_within(of.account, next, self.end(of.day));
            let case = self.case(before, of.day, of.treated)?;
            is_clean.then(|| Case { kind: of.kind.clone(), ..case })
        };
        let mut cases: Vec<Case> = self.treatments.all.iter().filter_map(of_intervention).collect();
        if !has_control {
            let days = self.treatments.follow_days as u32;
            let untreated = self.course.rows.iter().filter(|of| !self.treatments.runs_within(of.account, of.day, days));
            cases.extend(untreated.filter_map(|of| self.case(*of, of.day, false)));
        }
        cases
    }

    fn end(&self, day: Date) -> Date {
        day.plus_days(self.treatments.follow_days)
    }

    /// `None` where it is not known yet what became of the account.
    fn case(&self, before: Health, day: Date, treated: bool) -> Option<Case> {
        let (account, end) = (before.account, self.end(day));
        let churn = self.facts.churn_after(account, day).filter(|&churn| churn <= end);
        let after = match churn {
            Some(churn) => self.course.last(account, churn.plus_days(-1))?,
            None => self.course.standing(account, end).filter(|_| end <= self.facts.known_until)?,
        };
        let stayed = churn.is_none();
        Some(Case { account, before, after: *after, stayed, treated, kind: None })
    }
}

fn measure(cases: &[&Case], options: &GuideOptions) -> Result<InterventionFindings, Failure> {
    let band_before: Vec<Band> = cases.iter().map(|case| case.before.band).collect();
    let band_after: Vec<Band> = cases.iter().map(|case| case.after.band).collect();
    let score_before: Vec<f64> = cases.iter().map(|case| case.before.score).collect();
    let score_after: Vec<f64> = cases.iter().map(|case| case.after.score).collect();
    let stayed: Vec<bool> = cases.iter().map(|case| case.stayed).collect();
    let treated: Vec<bool> = cases.iter().map(|case| case.treated).collect();
    let account: Vec<u32> = cases.iter().map(|case| case.account).collect();
    let columns = Interventions {
        band_before: &band_before,
        band_after: &band_after,
        score_before: &score_before,
        score_after: &score_after,
        stayed: &stayed,
        treated: &treated,
        account: &account,
    };
    intervention_findings(&columns, options).unexpected("measuring interventions")
}
