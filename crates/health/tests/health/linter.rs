//! What the linter says, and in which order.

use crate::rules::{linted, refused};

/// Training stops at the first, whose message the linter says first.
#[test]
fn the_linter_says_every_rule_in_the_order_of_training() {
    let text = "
        indicators = [{ feature = 'a', weight = 90.0 }]
        bands = 't-c'
        thresholds = { by = [{ feature = 'c' }, { feature = 'd' }], shrinkage = -1.0 }
        [[variants]]
        name = 'base'
        when = [{ feature = 'a' }, { feature = 'plan', in = ['x'] }]
        indicators = [{ feature = 'b', weight = 10.0 }]
        [[vetoes]]
        name = 'x'
        when = []
        at_most = 149.0
    ";
    let features = ["a ^", "b ^", "plan=pro -"];
    let expected = [
        ("bands-order", "there are no bands `t-c`; there are t-a and t-b"),
        ("weights-total", "the weights of the scorecard's indicators total 90; they must total 100"),
        ("rules", "variant `base`: its name is another card's"),
        ("rules", "variant `base`: the condition on `a` has either `in`, or at_least or below"),
        ("rules", "variant `base`: `plan=x` is no feature of this book; near matches: `plan=pro`"),
        ("weights-total", "variant `base`: the weights of the scorecard's indicators total 10; they must total 100"),
        ("rules", "veto `x`: it has no condition; `when` says when it holds"),
        ("rules", "veto `x`: at_most is 149; it must be at least 0 and below 100"),
        ("rules", "the thresholds: shrinkage is -1; it must be finite and above 0"),
        ("rules", "the thresholds: `c` is no text of this book; a number needs `edges` to be cut at"),
        ("rules", "the thresholds: `d` is no text of this book; a number needs `edges` to be cut at"),
    ];
    let expected = expected.map(|(id, message)| (id, message.to_owned()));
    assert_eq!(linted(text, &features), expected);
    assert_eq!(refused(text, &features), expected[0].1);
}

#[test]
fn the_linter_wants_a_direction_to_start_from() {
    assert_eq!(linted("", &["a ^", "b -"]), []);
    let nothing = "no feature says which way is good; declare `good = \"up\"` or `good = \"down\"` on features, or a \
                   [scorecard]";
    assert_eq!(linted("", &["a -", "b -"]), [("direction", nothing.to_owned())]);
    assert_eq!(refused("", &["a -", "b -"]), nothing);
}
