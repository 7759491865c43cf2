"""Facts about measures.py, tuning.py and tuned.py; `tuned.py --selftest` runs them."""

import argparse

import numpy as np
import pyarrow as pa
from sklearn.metrics import brier_score_loss, log_loss

import measures
from intervals import auc
from tuned import LEAST_ROWS_OF_A_CLASS, Part, clearly_better_line, compare, folds, level_columns, parts
from tuning import LIBRARIES, tune

N_ACCOUNTS = 400
N_DAYS = 12
BUDGET_SECONDS = 0.2


def run() -> int:
    facts = [fact for name, fact in globals().items() if name.startswith("fact_")]
    for fact in facts:
        fact()
        print(f"ok: {fact.__doc__}")
    return 0


def fact_losses_are_scikit_learns() -> None:
    """log loss and Brier score are scikit-learn's"""
    probability, event, _ = sample(1)
    assert abs(measures.log_loss(probability, event) - log_loss(event, probability)) < 1e-12
    assert abs(measures.brier(probability, event) - brier_score_loss(event, probability)) < 1e-12


def fact_a_calibrated_probability_has_slope_one() -> None:
    """probabilities on twice the log odds have half the slope, and recalibration gives them back; ECE falls"""
    probability, event, _ = sample(2, n=200_000)
    sharpened = measures.recalibrated(probability, (2.0, 0.0))
    (slope, intercept), (half, _) = (measures.calibration_line(p, event) for p in (probability, sharpened))
    assert abs(slope - 1.0) < 0.03 and abs(intercept) < 0.03 and abs(half - slope / 2) < 1e-6
    again = measures.recalibrated(sharpened, measures.calibration_line(sharpened, event))
    assert np.allclose(again, measures.recalibrated(probability, (slope, intercept)), atol=1e-6)
    assert measures.calibration_error(probability, event) < 0.01 < measures.calibration_error(sharpened, event)


def fact_ece_is_the_gap_of_each_bin() -> None:
    """ECE of ten rows with ten probabilities is the mean distance; of one probability, the distance of the means"""
    probability, event = np.arange(1, 11) / 11, np.arange(10) % 2 == 1
    assert abs(measures.calibration_error(probability, event) - np.abs(probability - event).mean()) < 1e-12
    assert abs(measures.calibration_error(np.full(10, 0.2), event) - 0.3) < 1e-12


def fact_the_bootstrap_of_log_loss_is_by_account() -> None:
    """copies of each account's rows leave the interval of a log loss difference as it is"""
    probability, event, account = sample(3)
    other = measures.recalibrated(probability, (0.7, 0.1))
    once = measures.log_loss_difference(probability, other, event, account, 1)
    columns = (np.tile(column, 3) for column in (probability, other, event, account))
    thrice = measures.log_loss_difference(*columns, 1)
    assert np.allclose([once.value, once.low, once.high], [thrice.value, thrice.low, thrice.high], atol=1e-12)
    assert once.low < once.value < once.high


def fact_platt_is_taken_only_where_it_is_clearly_better() -> None:
    """sharpened probabilities are recalibrated, calibrated ones are left alone"""
    probability, event, account = sample(4, n=4000)
    part = Part({}, event, account, np.zeros(len(event)), probability)
    assert clearly_better_line(probability, part, 1) is None
    slope, _ = clearly_better_line(measures.recalibrated(probability, (3.0, 0.0)), part, 1)
    assert abs(slope - 1 / 3) < 0.05


def fact_later_days_are_held_out_after_a_gap() -> None:
    """no row is fitted on whose outcome window reaches into the check days; one day alone is divided by account"""
    event, account = np.arange(1200) % 3 == 0, np.arange(1200) // 10
    timed = folds(Part({}, event, account, np.arange(1200) // 60 * 30, event), 90, 1)
    day = np.arange(1200) // 60 * 30
    assert len(timed) == 1 and day[timed[0].fit].max() + 90 <= day[timed[0].check].min()
    assert len(timed[0].check) == 1200 // 5
    grouped = folds(Part({}, event, account, np.zeros(1200), event), 90, 1)
    assert sorted(np.concatenate([fold.check for fold in grouped])) == list(range(1200))
    for fold in grouped:
        assert not set(account[fold.fit]) & set(account[fold.check])
        assert min(event[fold.check].sum(), (~event[fold.check]).sum()) >= LEAST_ROWS_OF_A_CLASS


def fact_levels_are_learnt_on_training_rows() -> None:
    """a level that training has not seen is missing, the most frequent one is 0; rows are found by account and day"""
    matrix, raw = book()
    levels = level_columns(matrix, raw.take(np.random.default_rng(1).permutation(raw.num_rows)))
    assert levels == {"colour": raw["colour"].to_pylist()}
    of = parts(matrix, levels, "churn_90d")
    column = {name: part.encodings["levels"].x[:, -1] for name, part in of.items()}
    assert set(column["training"]) == {0.0, 1.0, 2.0} and np.isnan(column["test"]).any()
    counts = np.bincount(column["training"].astype(int))
    assert list(counts) == sorted(counts, reverse=True)


def fact_every_peer_takes_levels() -> None:
    """each of the four takes levels and missing values, and draws the same settings from the same seed"""
    matrix, raw = book()
    of = parts(matrix, level_columns(matrix, raw), "churn_90d")
    training, test = of["training"], of["test"]
    held_out = folds(training, 90, 1)
    for library in LIBRARIES.values():
        assert library.draw(np.random.default_rng(5)) == library.draw(np.random.default_rng(5))
        tuned = tune(library, {"levels": training.encodings["levels"]}, training.event, held_out, 0.0, 1, 1)
        assert auc(tuned.fitted.predict(test.encodings["levels"]), test.event, test.account).value > 0.7
        assert (tuned.n_trials, tuned.settings) == (1, library.defaults)


def fact_every_peer_beats_noise() -> None:
    """where ours is noise, all four are better and ours is called below by AUC and by log loss"""
    matrix, raw = book()
    arguments = argparse.Namespace(budget=BUDGET_SECONDS, found=None, threads=1, seed=1)
    comparison = compare(matrix, level_columns(matrix, raw), "churn_90d", arguments)
    assert [result.model for result in comparison.results] == ["bellwether", *LIBRARIES]
    assert all(result.auc.value > 0.7 for result in comparison.results[1:])
    assert comparison.is_auc_below and comparison.is_log_loss_below


def sample(seed: int, n: int = 1000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Calibrated probabilities, outcomes, and accounts of five rows."""
    random = np.random.default_rng(seed)
    probability = 1.0 / (1.0 + np.exp(-random.normal(-1.0, 1.0, size=n)))
    return probability, random.random(n) < probability, np.arange(n) // 5


def book() -> tuple[pa.Table, pa.Table]:
    """A matrix and its raw table: a number with gaps, a text whose rarest level comes in test only, and noise for our
    probability."""
    random = np.random.default_rng(9)
    n = N_ACCOUNTS * N_DAYS
    account, month = np.arange(n) // N_DAYS, np.arange(n) % N_DAYS
    number = random.normal(size=n)
    is_test = month >= N_DAYS - 3
    colour = random.choice(["red", "green", "blue"], n, p=[0.6, 0.3, 0.1])
    colour = np.where(is_test & (random.random(n) < 0.1), "violet", colour)
    event = random.random(n) < 1.0 / (1.0 + np.exp(1.0 - 1.5 * number - 2.0 * (colour == "green")))
    part = np.where(is_test, "test", np.where(account % 5 == 0, "calibration", "training"))
    keys = {
        "account_id": [f"A{one}" for one in account],
        "as_of": pa.array(month * 30, pa.int32()).cast(pa.date32()),
    }
    seen = pa.array(np.where(random.random(n) < 0.1, np.nan, number), pa.float32())
    encoded = {"part": part, "label:churn_90d": event, "probability:churn_90d": random.uniform(0.1, 0.9, n)}
    encoded["feature:number"] = seen
    encoded |= {f"feature:colour={level}": (colour == level).astype(np.float32) for level in ("red", "green", "blue")}
    return pa.table(keys | encoded), pa.table(keys | {"label:churn_90d": event, "number": seen, "colour": colour})
