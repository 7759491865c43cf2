//! Entries of the catalogue on a tiny book whose values can be told by hand, and what `[catalogue]` may say.

use bellwether_book::{BookError, BookFile, Catalogue};
use bellwether_core::Quiet;

use crate::common::{date, numbers, open};

/// One account from 2024-01-01; it is 2024-06-30.
const FILES: [(&str, &str); 11] = [
    ("accounts.csv", "account,start,staff\na,2024-01-01,60\n"),
    (
        "plans.csv",
        "account,start,end,seats,mrr,renews\na,2024-01-01,2024-06-01,8,80,2024-12-31\na,2024-06-01,,10,110,2024-12-31\n",
    ),
    (
        "usage.csv",
        "account,day,logins,users,minutes,features,actions\n\
         a,2024-01-05,4,2,40,2,1\na,2024-05-20,5,2,50,3,2\na,2024-06-10,6,3,60,4,3\na,2024-06-20,14,4,140,6,5\n\
         a,2024-06-29,0,0,0,,0\n",
    ),
    (
        "events.csv",
        "account,day,who,team,feature,tier,n\n\
         a,2024-01-03,u1,ops,search,core,2\na,2024-02-01,u1,ops,tasks,core,1\na,2024-06-10,u1,ops,search,core,4\n\
         a,2024-06-10,u2,sales,search,core,2\na,2024-06-11,u1,ops,api,advanced,2\na,2024-06-12,u1,ops,audit,premium,2\n",
    ),
    (
        "activities.csv",
        "account,day,what,by,value\n\
         a,2024-01-02,Handover,sponsor,7\na,2024-01-21,milestone_reached,admin,1\na,2024-03-01,milestone_reached,admin,2\n\
         a,2024-01-16,onboarding_completed,admin,1\na,2024-02-01,integration_connected,admin,1\n\
         a,2024-05-01,Webinar,user,1\na,2024-06-01,Web seminar,user,1\na,2024-06-20,qbr_held,admin,1\n\
         a,2024-06-15,workflow_started,user,8\na,2024-06-15,workflow_completed,user,6\n",
    ),
    (
        "tickets.csv",
        "account,opened,closed,prio,about,up,text,answer\n\
         a,2024-02-10,2024-02-12,P3,bug,0,This is broken,30\na,2024-06-02,2024-06-05,P1,bug,1,This is terrible!,10\n\
         a,2024-06-20,,P3,advanced,0,\"Thanks, great API\",\n",
    ),
    (
        "surveys.csv",
        "account,day,kind,score,comment\na,2023-11-01,nps,4,\na,2024-05-01,nps,8,I love it\na,2024-05-02,csat,5,\n",
    ),
    ("people.csv", "account,day,what,role,here\na,2024-01-01,joined,champion,1\na,2024-04-01,left,champion,0\n"),
    ("invoices.csv", "account,due,paid\na,2024-03-01,2024-02-25\na,2024-05-01,2024-05-11\n"),
    ("goals.csv", "account,day,target,actual\na,2024-04-01,100,150\na,2024-04-01,0,3\na,2024-04-02,4,2\n"),
    (
        "outside.csv",
        "account,day,name,x\na,2023-12-01,headcount,50\na,2024-06-01,headcount,60\na,2024-06-01,competitor_mentions,3\n",
    ),
];

const SOURCES: &str = r#"
name = "tiny"

[sources]
accounts = { kind = "attribute", path = "accounts.csv", account = "account", date = "start" }
plans = { kind = "subscription", path = "plans.csv", account = "account", date = "start", end = "end" }
usage = { kind = "event", path = "usage.csv", account = "account", date = "day" }
events = { kind = "event", path = "events.csv", account = "account", date = "day" }
activities = { kind = "event", path = "activities.csv", account = "account", date = "day" }
surveys = { kind = "event", path = "surveys.csv", account = "account", date = "day", derived = [{ name = "tone", sentiment_of = "comment" }] }
people = { kind = "event", path = "people.csv", account = "account", date = "day" }
outside = { kind = "event", path = "outside.csv", account = "account", date = "day" }
open = { kind = "subscription", path = "tickets.csv", account = "account", date = "opened", end = "closed" }

[sources.tickets]
kind = "event"
path = "tickets.csv"
account = "account"
date = "opened"
derived = [{ name = "tone", sentiment_of = "text" }]

[sources.closings]
kind = "event"
path = "tickets.csv"
account = "account"
date = "closed"
derived = [{ name = "hours", days_between = ["opened", "closed"] }]
filter = [{ column = "answer", at_least = 0.0 }]

[sources.invoices]
kind = "event"
path = "invoices.csv"
account = "account"
date = "paid"
derived = [{ name = "late", days_between = ["due", "paid"] }]

[sources.goals]
kind = "event"
path = "goals.csv"
account = "account"
date = "day"
derived = [{ name = "reached", divide = ["actual", "target"] }]

[accounts]
from = "accounts"
"#;

const ROLES: &str = r#"
[catalogue.roles]
accounts = { source = "accounts", columns = { employees = "staff" } }
subscriptions = { source = "plans", has = ["seats", "mrr"], columns = { renews_on = "renews" } }
usage = { source = "usage", has = ["logins", "minutes"], columns = { active_users = "users", features_used = "features", core_actions = "actions" } }
feature_use = { source = "events", has = ["feature", "tier"], columns = { user = "who", department = "team", uses = "n" } }
surveys = { source = "surveys", columns = { sentiment = "tone" } }
nps = { source = "surveys", has = ["score"], filter = [{ column = "kind", in = ["nps"] }] }
csat = { source = "surveys", has = ["score"], filter = [{ column = "kind", in = ["csat"] }] }
contacts = { source = "people", has = ["role"], columns = { event = "what", present = "here" } }
open_tickets = { source = "open" }
ticket_closings = { source = "closings", columns = { first_response_hours = "answer" } }
payments = { source = "invoices", columns = { days_late = "late" } }
goals = { source = "goals", columns = { attainment = "reached" } }
external = { source = "outside", columns = { indicator = "name", value = "x" } }

[catalogue.roles.engagement]
source = "activities"
has = ["value"]
columns = { kind = "what", role = "by" }

[catalogue.roles.engagement.values.kind]
webinar_attended = ["Webinar", "Web seminar"]
handoff_scored = ["Handover"]
milestone_reached = ["milestone_reached"]
onboarding_completed = ["onboarding_completed"]
integration_connected = ["integration_connected"]
qbr_held = ["qbr_held"]
workflow_started = ["workflow_started"]
workflow_completed = ["workflow_completed"]

[catalogue.roles.engagement.values.role]
exec_sponsor = ["sponsor"]

[catalogue.roles.tickets]
source = "tickets"
columns = { severity = "prio", category = "about", escalated = "up", sentiment = "tone" }
values = { severity = { high = ["P2"], urgent = ["P1"] } }
"#;

fn toml(wanted: &str) -> String {
    format!("{SOURCES}\n[catalogue]\n{wanted}\n{ROLES}")
}

fn parse(toml: &str) -> Result<BookFile, BookError> {
    Ok(BookFile::parse(toml.to_owned(), std::path::Path::new("book.toml"))?)
}

/// Names of the models' features and of the helpers.
fn declared(toml: &str) -> (Vec<String>, Vec<String>) {
    let declared = parse(toml).expect("the book is in order").declared();
    let names = |helper: bool| declared.iter().filter(|of| of.helper == helper).map(|of| of.name.clone()).collect();
    (names(false), names(true))
}

/// By hand, as of 2024-06-30. Windows: 28 days are June 3 to 30; 90 days are April 2 to June 30; 180 days are January 3
/// to June 30. There are 10 seats.
#[rustfmt::skip]
const BY_HAND: [(&str, f64); 60] = [
    ("login_frequency", 20.0 / 10.0),
    ("login_trend", 20.0 / 5.0),
    ("days_since_login", 10.0), // the row of the 29th has no login
    ("active_days_share", 2.0 / 28.0),
    ("weekly_consistency", 3.0 / 12.0), // weeks that end on June 23, June 16 and May 26
    ("minutes_per_login", 200.0 / 20.0),
    ("core_actions_per_seat", 8.0 / 10.0),
    ("workflow_completion", 6.0 / 8.0),
    ("active_users", 2.0),
    ("mau_share", 2.0 / 10.0),
    ("stickiness", 4.0 / 28.0 / 2.0), // two users on one day, one on two
    ("entitlement_use", 4.0 / 10.0),
    ("user_trend", 7.0 / 2.0),
    ("single_user_dependency", 3.0 / 4.0),
    ("feature_breadth", 3.0),
    ("daily_feature_breadth", 5.0),
    ("feature_coverage", 3.0 / 4.0),
    ("core_features_used", 1.0),
    ("core_adoption_speed", 2.0),
    ("adoption_depth", 10.0 / 3.0),
    ("advanced_use_share", 2.0 / 10.0),
    ("new_features_90d", 2.0),
    ("time_to_value", 20.0),
    ("onboarding_days", 15.0),
    ("integrations_in_60d", 1.0),
    ("departments_using", 2.0),
    ("webinars_180d", 2.0),
    ("days_since_engagement", 10.0),
    ("seats_added_90d", 2.0),
    ("new_users_90d", 1.0),
    ("handoff_quality", 7.0),
    ("milestones_reached", 2.0),
    ("survey_answers_365d", 3.0),
    ("tickets_per_seat", 2.0 / 10.0),
    ("ticket_trend", 2.0 - 1.0),
    ("severe_tickets", 1.0),
    ("escalations", 1.0),
    ("escalation_share", 1.0 / 3.0),
    ("first_response_hours", 10.0),
    ("open_tickets", 1.0),
    ("oldest_open_ticket_days", 10.0),
    ("recurring_problem_share", 2.0 / 3.0),
    ("advanced_question_share", 1.0 / 3.0),
    ("ticket_sentiment", f64::midpoint(-0.5255, 0.7906)), // of "This is terrible!" and "Thanks, great API" by vaderSentiment 3.3.2
    ("nps", 8.0),
    ("nps_trend", 8.0 - 4.0),
    ("csat", 5.0),
    ("survey_sentiment", 0.6369), // of "I love it" by vaderSentiment 3.3.2
    ("days_since_exec_contact", 180.0),
    ("roles_engaged", 2.0),
    ("champion", 0.0),
    ("champions_left_365d", 1.0),
    ("qbrs_365d", 1.0),
    ("goal_attainment", f64::midpoint(1.5, 0.5)), // a goal of 0 says nothing
    ("contract_value", 110.0),
    ("days_to_renewal", 184.0),
    ("mean_payment_delay", f64::midpoint(-5.0, 10.0)),
    ("late_payments_365d", 1.0),
    ("tenure", 181.0),
    ("employees_per_seat_paid", 60.0 / 10.0),
];

#[test]
fn entries_are_what_their_formulas_say() {
    let (_folder, book) = open(&toml("use = [\"all\"]"), &FILES).expect("opens");
    let table = book.history(&[date("2024-06-30")], &Quiet).expect("it is built").table;
    for (name, expected) in BY_HAND {
        let found = f64::from(numbers(&table, name)[0]);
        assert!((found - expected).abs() < 1e-4, "{name}: {found} for {expected}");
    }
    let categories = |names: &mut dyn Iterator<Item = &str>| -> std::collections::BTreeSet<&str> {
        let of = |name| Catalogue::standard().entries().iter().find(|entry| entry.name == name);
        names.filter_map(|name| Some(of(name)?.category)).collect()
    };
    let every = Catalogue::standard().entries().iter().map(|entry| entry.name.as_str());
    assert_eq!(categories(&mut BY_HAND.iter().map(|(name, _)| *name)), categories(&mut { every }), "one a category");
}

#[test]
fn what_an_entry_is_divided_by_is_kept_out_of_the_models() {
    let (features, helpers) = declared(&toml("use = [\"stickiness\", \"mau_share\"]"));
    assert_eq!(features, ["mau_share", "stickiness"]);
    assert_eq!(helpers, ["catalogue:seats", "catalogue:active_users"]);
    let (features, helpers) = declared(&toml("use = [\"stickiness\", \"active_users\"]"));
    assert_eq!(features, ["active_users", "stickiness"]);
    assert!(helpers.is_empty(), "{helpers:?}");
}

#[test]
fn a_metric_a_category_and_all_take_what_can_be_built() {
    let (features, _) = declared(&toml("use = [\"U-06\"]"));
    assert_eq!(features, ["active_days_share", "weekly_consistency", "weekly_variation"]);
    let (features, _) = declared(&toml("use = [\"support\"]\nskip = [\"T-03\", \"open_tickets\"]"));
    assert!(features.contains(&"ticket_trend".to_owned()) && !features.contains(&"escalations".to_owned()));
    assert!(!features.contains(&"open_tickets".to_owned()));
    assert!(!features.contains(&"ticket_csat".to_owned()), "its column is not mapped");
    let (all, _) = declared(&toml("use = [\"all\"]"));
    let file = parse(&toml("use = [\"all\"]")).expect("the book is in order");
    let buildable = Catalogue::standard().entries().iter().filter(|entry| file.missing_for(entry).is_empty());
    assert_eq!(all, buildable.map(|entry| entry.name.clone()).collect::<Vec<_>>());
}

/// The order of `use` is no matter, and what the book declares itself stays.
#[test]
fn features_of_the_book_come_first_and_win() {
    let own = "[[features]]\nname = \"nps\"\nfrom = \"usage\"\ncolumn = \"logins\"\n";
    let (features, _) = declared(&format!("{}{own}", toml("use = [\"U-12\", \"sentiment\", \"U-01\"]")));
    assert_eq!(features[..4], ["nps", "login_frequency", "login_trend", "days_since_login"]);
    assert_eq!(features.iter().filter(|name| *name == "nps").count(), 1);
}

#[track_caller]
fn check_refused(toml: &str, message: &str, hint_begins: &str) {
    let Err(BookError::Config(error)) = parse(toml) else { panic!("{message}: it was read") };
    assert_eq!(error.to_string(), message);
    let hint = error.hint().unwrap_or_default();
    assert!(hint.starts_with(hint_begins), "{hint}");
}

#[test]
fn what_the_catalogue_cannot_do_is_said_at_its_line() {
    let with = |wanted: &str, from: &str, to: &str| toml(wanted).replacen(from, to, 1);
    check_refused(
        &toml("use = [\"login_frequenzy\"]"),
        "the catalogue has no `login_frequenzy`",
        "did you mean `login_frequency`? `bellwether features --list` prints names, ids and categories",
    );
    check_refused(
        &toml("use = [\"csm_sentiment\"]"),
        "entry `csm_sentiment` can't be built without role `crm`",
        "write [catalogue.roles.crm] with `source` and, in `has` or `columns`, csm_sentiment",
    );
    check_refused(
        &toml("use = [\"ticket_csat\"]"),
        "entry `ticket_csat` can't be built without column `csat` of role `ticket_closings`",
        "name csat in `has` or `columns` of [catalogue.roles.ticket_closings]",
    );
    check_refused(
        &toml("use = [\"trainings_180d\"]"),
        "entry `trainings_180d` can't be built without value `training_completed` of column `kind` \
         of role `engagement`",
        "list the value in `values.kind` of [catalogue.roles.engagement]",
    );
    check_refused(
        &toml("use = [\"N-02\"]"),
        "of `N-02` no entry of the catalogue can be built",
        "`bellwether features --list --book` says what is missing for each",
    );
    check_refused(
        &format!("{}[[features]]\nname = \"nps\"\nfrom = \"usage\"\ncolumn = \"logins\"\n", toml("use = [\"nps\"]")),
        "feature `nps` is declared in [[features]] and by the catalogue",
        "take it out of `use`, or give the other one another `name`",
    );
    check_refused(
        &toml("skip = [\"everything\"]"),
        "the catalogue has no `everything`",
        "did you mean `user_trend`? `bellwether features --list` prints names, ids and categories",
    );
    check_refused(
        &with("", "open_tickets = { source", "open_ticket = { source"),
        "the catalogue has no role `open_ticket`",
        "did you mean `open_tickets`?",
    );
    check_refused(
        &with("", "source = \"open\"", "source = \"tickets\""),
        "source `tickets` is of kind event; role `open_tickets` is subscription",
        "the role is tickets as stretches of time, from opening until closing: a row from `date` until `end`",
    );
    check_refused(
        &with("", "source = \"open\"", "source = \"opened\""),
        "there is no source `opened`",
        "did you mean `open`?",
    );
    check_refused(
        &with("", "has = [\"role\"]", "has = [\"rolle\"]"),
        "role `contacts` has no column `rolle`",
        "did you mean `role`?",
    );
    check_refused(
        &with("", "urgent = [\"P1\"]", "highest = [\"P1\"]"),
        "column `severity` of role `tickets` has no value `highest`",
        "did you mean `high`?",
    );
}

#[test]
fn a_role_that_nothing_uses_is_no_difference_to_a_bundle() {
    let book = |text: String| parse(&text).expect("the book is in order");
    let feature = "[[features]]\nname = \"l\"\nfrom = \"usage\"\ncolumn = \"logins\"\n";
    let plain = format!("{SOURCES}{feature}");
    let mapped = format!("{}{feature}", toml("use = []"));
    let used = format!("{}{feature}", toml("use = [\"nps\"]"));
    let used_otherwise = used.replacen("in = [\"nps\"]", "in = [\"NPS\"]", 1);
    assert_eq!(book(mapped.clone()).difference_to(&plain), None);
    assert_eq!(book(plain).difference_to(&mapped), None);
    assert_eq!(book(used.clone()).difference_to(&used), None);
    assert!(book(mapped).difference_to(&used).is_some_and(|place| place.starts_with("`catalogue")));
    assert_eq!(book(used).difference_to(&used_otherwise), Some("`catalogue.roles.nps.filter`".to_owned()));
}
