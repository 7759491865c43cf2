#[path = "../tests/common/mod.rs"]
mod common;
use common::*;
fn main() {
    let n: usize = std::env::args().nth(1).unwrap().parse().unwrap();
    let out = std::env::args().nth(2).unwrap();
    let a = Accounts::new(n, ["smb", "mid-market", "enterprise"]);
    let t1 = a.target(CHURN, ["scorecard", "boosted"]);
    let t2 = a.target(bellwether_core::Target{outcome: bellwether_core::Outcome::Expansion, horizon_days: 90}, ["logistic","scorecard"]);
    let r = bellwether_report::render(&report(vec![t1.clone(), t2])).unwrap();
    std::fs::create_dir_all(format!("{out}/figures")).unwrap();
    std::fs::write(format!("{out}/report.md"), &r.markdown).unwrap();
    std::fs::write(format!("{out}/report.html"), &r.html).unwrap();
    for (p, s) in &r.figures { std::fs::write(format!("{out}/{p}"), s).unwrap(); }
    println!("{}", bellwether_report::evaluation_text(CHURN, &t1.evaluation));
    println!("\n{}", bellwether_report::learner_table_text(&t1.learners, &t1.chosen));
}
