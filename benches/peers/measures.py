"""Log loss, Brier score and calibration of probabilities, and paired differences of log loss, as `bellwether evaluate`
defines them."""

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
    edges = np.quantile(probability, np.arange(1, N_BINS) / N_BINS, method="linear")
    bin_of = np.searchsorted(edges, probability, side="left")
    gap = np.bincount(bin_of, weights=probability - event, minlength=N_BINS)
    return float(np.abs(gap).sum() / len(event))


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
    random = np.random.default_rng(seed)
    n_accounts = len(n_rows)
    drawn = []
    for _ in range(N_REPLICATES // AT_A_TIME):
        times = random.multinomial(n_accounts, np.full(n_accounts, 1.0 / n_accounts), size=AT_A_TIME)
        drawn.append((times @ total) / (times @ n_rows))
    low, high = np.quantile(np.concatenate(drawn), [0.5 - CONFIDENCE / 2, 0.5 + CONFIDENCE / 2])
    return Estimate(float(by_row.mean()), float(low), float(high))
