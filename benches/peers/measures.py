"""Log loss, Brier score and calibration of probabilities, and paired differences of log loss, as `bellwether evaluate`
defines them."""

from collections.abc import Callable

import numpy as np
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from intervals import CONFIDENCE, Estimate

# As `bellwether evaluate` clips.
CLIP = 1e-15
N_BINS = 10
N_REPLICATES = 2000
# Replicates drawn at a time: their counts by account are held in memory.
AT_A_TIME = 100


def log_losses(probability: np.ndarray, event: np.ndarray) -> np.ndarray:
    """Of each row, nats."""
    clipped = np.clip(probability, CLIP, 1.0 - CLIP)
    return -np.where(event, np.log(clipped), np.log1p(-clipped))


def log_loss(probability: np.ndarray, event: np.ndarray) -> float:
    return float(log_losses(probability, event).mean())


def brier(probability: np.ndarray, event: np.ndarray) -> float:
    return float(((probability - event) ** 2).mean())


def calibration_error(probability: np.ndarray, event: np.ndarray) -> float:
    """ECE over ten bins of equally many rows; rows of one probability stay in one bin, that of the lower one."""
    gap = np.bincount(bins(probability), weights=probability - event, minlength=N_BINS)
    return float(np.abs(gap).sum() / len(event))


def bins(probability: np.ndarray) -> np.ndarray:
    edges = np.quantile(probability, np.arange(1, N_BINS) / N_BINS, method="linear")
    return np.searchsorted(edges, probability, side="left")


def calibration_line(probability: np.ndarray, event: np.ndarray) -> tuple[float, float]:
    """Slope and intercept of the outcome's log odds on the probability's: 1 and 0 where calibrated. Source: Cox (1958)."""
    model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000)
    model.fit(log_odds(probability)[:, None], event)
    return float(model.coef_[0, 0]), float(model.intercept_[0])


def recalibrated(probability: np.ndarray, line: tuple[float, float]) -> np.ndarray:
    slope, intercept = line
    return expit(intercept + slope * log_odds(probability))


def log_odds(probability: np.ndarray) -> np.ndarray:
    return logit(np.clip(probability, CLIP, 1.0 - CLIP))


def log_loss_difference(
    a: np.ndarray, b: np.ndarray, event: np.ndarray, account: np.ndarray, seed: int
) -> Estimate:
    """Log loss of `a` less log loss of `b` on the same rows; the interval is of percentiles over draws of accounts."""
    by_row = log_losses(a, event) - log_losses(b, event)
    total, n_rows = np.bincount(account, weights=by_row), np.bincount(account).astype(float)
    return Estimate(float(by_row.mean()), *interval(account, seed, lambda times: (times @ total) / (times @ n_rows)))


def calibration_error_difference(
    a: np.ndarray, b: np.ndarray, event: np.ndarray, account: np.ndarray, seed: int
) -> Estimate:
    """ECE of `a` less ECE of `b` on the same rows; the interval is of percentiles over draws of accounts, bins kept."""
    n_rows = np.bincount(account).astype(float)
    gaps = [gaps_by_account(probability, event, account) for probability in (a, b)]
    error = lambda times, gap: np.abs(times @ gap).sum(axis=1) / (times @ n_rows)
    difference = lambda times: error(times, gaps[0]) - error(times, gaps[1])
    value = calibration_error(a, event) - calibration_error(b, event)
    return Estimate(value, *interval(account, seed, difference))


def gaps_by_account(probability: np.ndarray, event: np.ndarray, account: np.ndarray) -> np.ndarray:
    """The expected less the observed events of each account in each bin of `calibration_error`."""
    gaps = np.zeros((account.max() + 1, N_BINS))
    np.add.at(gaps, (account, bins(probability)), probability - event)
    return gaps


def interval(account: np.ndarray, seed: int, of: Callable[[np.ndarray], np.ndarray]) -> tuple[float, float]:
    """Percentiles of a statistic over draws of accounts, given how many times each is drawn."""
    random = np.random.default_rng(seed)
    n_accounts = account.max() + 1
    drawn = []
    for _ in range(N_REPLICATES // AT_A_TIME):
        drawn.append(of(random.multinomial(n_accounts, np.full(n_accounts, 1.0 / n_accounts), size=AT_A_TIME)))
    low, high = np.quantile(np.concatenate(drawn), [0.5 - CONFIDENCE / 2, 0.5 + CONFIDENCE / 2])
    return float(low), float(high)
