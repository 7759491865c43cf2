"""ROC AUC and paired differences of two, with intervals for rows that come several from an account.

Each event's component is the share of non-events that it outranks, each non-event's the share of events that outrank
it, ties half. Sources: DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44; by account: Obuchowski (1997),
Biometrics 53. Where each account has one row, the second is the first.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit, ndtri, stdtrit
from scipy.stats import rankdata

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """A value with its interval; the ends are None where the variance can't be had."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Components:
    """One AUC, or the difference of two on the same rows: a component a row, in row order."""

    auc: float
    values: np.ndarray

    def minus(self, other: "Components") -> "Components":
        return Components(self.auc - other.auc, self.values - other.values)


def components(score: np.ndarray, event: np.ndarray) -> Components:
    """`score` (n,) on any scale, `event` (n,) bool with both classes in it."""
    n_events, n_others = int(event.sum()), int((~event).sum())
    # A row's rank among all less its rank within its own class is how many of the other class it outranks.
    within = np.empty(len(score))
    within[event], within[~event] = rankdata(score[event]), rankdata(score[~event])
    outranked = rankdata(score) - within
    values = np.where(event, outranked / n_others, 1.0 - outranked / n_events)
    return Components(float(values[event].mean()), values)


def variance(of: Components, event: np.ndarray, account: np.ndarray) -> float | None:
    """Of the AUC, or of the difference; None where fewer than two accounts have events, or non-events.

    `account` (n,) holds whole numbers from 0.
    """
    residual = of.values - of.auc
    by_account = lambda weights: np.bincount(account, weights=weights)
    with_events = by_account(event) > 0
    with_others = by_account(~event) > 0
    n_accounts = int((with_events | with_others).sum())
    if with_events.sum() < 2 or with_others.sum() < 2:
        return None
    unbiased = lambda n: n / (n - 1)
    events = by_account(np.where(event, residual, 0.0)) / event.sum()
    others = by_account(np.where(event, 0.0, residual)) / (~event).sum()
    return float(
        unbiased(with_events.sum()) * (events @ events)
        + unbiased(with_others.sum()) * (others @ others)
        + unbiased(n_accounts) * 2.0 * (events @ others)
    )


def auc(score: np.ndarray, event: np.ndarray, account: np.ndarray) -> Estimate:
    """ROC AUC; the interval is Student's on the logit (Pepe 2003), of as many degrees as the rarer class has accounts, less 1."""
    of = components(score, event)
    of_value = variance(of, event, account)
    if of_value is None or of_value <= 0.0:
        return Estimate(of.auc, None, None)
    n_accounts = min(len(np.unique(account[event])), len(np.unique(account[~event])))
    quantile = float(stdtrit(n_accounts - 1, 0.5 + CONFIDENCE / 2))
    half = quantile * of_value**0.5 / (of.auc * (1.0 - of.auc))
    low, high = (float(expit(logit(of.auc) + end)) for end in (-half, half))
    return Estimate(of.auc, low, high)


def auc_difference(a: np.ndarray, b: np.ndarray, event: np.ndarray, account: np.ndarray) -> Estimate:
    """AUC of `a` less AUC of `b` on the same rows."""
    return _estimate(components(a, event).minus(components(b, event)), event, account)


def _estimate(of: Components, event: np.ndarray, account: np.ndarray) -> Estimate:
    if not of.values.any():
        return Estimate(of.auc, of.auc, of.auc)
    of_value = variance(of, event, account)
    if of_value is None or of_value <= 0.0:
        return Estimate(of.auc, None, None)
    half = float(ndtri(0.5 + CONFIDENCE / 2)) * of_value**0.5
    return Estimate(of.auc, of.auc - half, of.auc + half)
