"""Facts about intervals.py, against scipy, scikit-learn and the formulas written out; `peers.py --selftest` runs them."""

import numpy as np
from scipy.stats import mannwhitneyu
from sklearn.metrics import roc_auc_score

from intervals import auc, auc_difference, components, variance

Z_95 = 1.959963984540054
N_REPLICATES = 2000


def run() -> int:
    facts = [fact for name, fact in globals().items() if name.startswith("fact_")]
    for fact in facts:
        fact()
        print(f"ok: {fact.__doc__}")
    return 0


def fact_auc_is_the_mann_whitney_statistic() -> None:
    """AUC is scipy's U over its largest value, and scikit-learn's AUC, ties included"""
    for seed in range(20):
        a, _, event, account = sample(seed, n_accounts=60, max_rows=4)
        value = auc(a, event, account).value
        u = mannwhitneyu(a[event], a[~event]).statistic / (event.sum() * (~event).sum())
        assert abs(value - u) < 1e-12 and abs(value - roc_auc_score(event, a)) < 1e-12


def fact_one_row_an_account_is_delong() -> None:
    """with one row an account the variance of a difference is DeLong's (1988), pair by pair"""
    for seed in range(20):
        a, b, event, account = sample(seed, n_accounts=80, max_rows=1)
        value = (auc_difference(a, b, event, account).high - auc_difference(a, b, event, account).value) / Z_95
        rows_a, columns_a = naive_components(a, event)
        rows_b, columns_b = naive_components(b, event)
        rows, columns = rows_a - rows_b, columns_a - columns_b
        expected = np.var(rows, ddof=1) / len(rows) + np.var(columns, ddof=1) / len(columns)
        assert abs(value**2 - expected) < 1e-12


def fact_several_rows_an_account_is_obuchowski() -> None:
    """with several the variance is Obuchowski's (1997), account by account"""
    for seed in range(20):
        a, b, event, account = sample(seed, n_accounts=60, max_rows=5)
        of = components(a, event).minus(components(b, event))
        assert abs(variance(of, event, account) - naive_clustered(a, b, event, account)) < 1e-12


def fact_copies_of_rows_say_nothing_new() -> None:
    """each row twice in its account leaves value and interval as they are"""
    a, b, event, account = sample(3, n_accounts=60, max_rows=3)
    once = auc_difference(a, b, event, account)
    twice = auc_difference(*(np.tile(column, 2) for column in (a, b, event, account)))
    assert np.allclose([once.value, once.low, once.high], [twice.value, twice.low, twice.high], atol=1e-12)


def fact_the_account_bootstrap_agrees() -> None:
    """the standard error is within 10 % of a bootstrap by account"""
    a, b, event, account = sample(5, n_accounts=300, max_rows=5)
    random = np.random.default_rng(5)
    rows_of = [np.flatnonzero(account == one) for one in range(account.max() + 1)]
    differences = []
    for _ in range(N_REPLICATES):
        drawn = np.concatenate([rows_of[one] for one in random.integers(len(rows_of), size=len(rows_of))])
        differences.append(roc_auc_score(event[drawn], a[drawn]) - roc_auc_score(event[drawn], b[drawn]))
    of = auc_difference(a, b, event, account)
    assert 0.9 < (of.high - of.value) / Z_95 / np.std(differences) < 1.1


def fact_equal_rankings_differ_by_nothing() -> None:
    """the same ranking on another scale differs by 0 [0, 0]; one account alone has no interval"""
    a, _, event, account = sample(7, n_accounts=40, max_rows=2)
    same = auc_difference(a, 3.0 * a + 1.0, event, account)
    assert (same.value, same.low, same.high) == (0.0, 0.0, 0.0)
    assert auc(a, event, np.zeros_like(account)).low is None


def sample(seed: int, n_accounts: int, max_rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Two scores with ties, outcomes and accounts; rows of an account are alike."""
    random = np.random.default_rng(seed)
    account = np.repeat(np.arange(n_accounts), random.integers(1, max_rows, endpoint=True, size=n_accounts))
    trait = random.normal(size=n_accounts)[account]
    event = trait + random.normal(size=len(account)) > 0.7
    a, b = (np.round(trait + random.normal(size=len(account)), 1) for _ in range(2))
    return a, b, event, account


def naive_components(score: np.ndarray, event: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of events and of non-events, from all pairs."""
    pairs = [[float(s > t) + 0.5 * float(s == t) for t in score[~event]] for s in score[event]]
    return np.mean(pairs, axis=1), np.mean(pairs, axis=0)


def naive_clustered(a: np.ndarray, b: np.ndarray, event: np.ndarray, account: np.ndarray) -> float:
    (rows_a, columns_a), (rows_b, columns_b) = naive_components(a, event), naive_components(b, event)
    rows, columns = rows_a - rows_b, columns_a - columns_b
    difference = rows.mean()
    of_events, of_others = account[event], account[~event]
    s_events = s_others = s_both = 0.0
    for one in sorted(set(account.tolist())):
        e = sum(value - difference for value, of in zip(rows, of_events) if of == one)
        o = sum(value - difference for value, of in zip(columns, of_others) if of == one)
        s_events, s_others, s_both = s_events + e * e, s_others + o * o, s_both + e * o
    k_events, k_others, k = (len(set(of.tolist())) for of in (of_events, of_others, account))
    m, n = len(rows), len(columns)
    s_events *= k_events / (k_events - 1) / m
    s_others *= k_others / (k_others - 1) / n
    s_both *= k / (k - 1) / m
    # S11 of the paper has one factor m; the variance takes 2 S11 / n.
    return s_events / m + s_others / n + 2.0 * s_both / n
