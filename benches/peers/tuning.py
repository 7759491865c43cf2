"""Four gradient boosters, each tuned by random search within a budget of seconds.

The first trial is the library's defaults, each further one is drawn from its space, the same ones for a seed. A trial
is fitted on each fold's rows with early stopping on the fold's check rows; the setting of the least log loss over the
check rows is fitted on all rows, with as many rounds as early stopping took on average. Where columns have levels, each
trial draws too whether the library is given them natively or one-hot, as the bundle encodes them.
"""

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf

import numpy as np
import threadpoolctl
from catboost import CatBoostClassifier, FeaturesData, Pool
from lightgbm import LGBMClassifier, early_stopping
from sklearn.ensemble import HistGradientBoostingClassifier
from xgboost import XGBClassifier

from measures import log_losses

MOST_ROUNDS = 2000
PATIENCE = 50
# A trial whose loss on the first folds is by this share above the best trial's there is not finished.
HOPELESS = 1.02


@dataclass(frozen=True)
class Columns:
    """One encoding of the rows: x (n, columns) f32, NaN for missing; `levels` are the columns that hold a level's number."""

    x: np.ndarray
    levels: tuple[int, ...] = ()

    def at(self, rows: np.ndarray) -> "Columns":
        return Columns(self.x[rows], self.levels)


@dataclass(frozen=True)
class Fold:
    """Places of rows."""

    fit: np.ndarray
    check: np.ndarray


@dataclass(frozen=True)
class Fitted:
    """Rounds that were kept, and probabilities by rows."""

    n_rounds: int
    predict: Callable[[Columns], np.ndarray]


@dataclass(frozen=True)
class Job:
    """What one fit is given; without check rows it makes exactly `n_rounds`."""

    columns: Columns
    event: np.ndarray
    check: tuple[Columns, np.ndarray] | None
    n_rounds: int
    threads: int
    seed: int


@dataclass(frozen=True)
class Library:
    defaults: dict
    draw: Callable[[np.random.Generator], dict]
    fit: Callable[[dict, Job], Fitted]


@dataclass(frozen=True)
class Tuned:
    """The best trial, fitted on all rows."""

    fitted: Fitted
    encoding: str
    settings: dict
    n_trials: int
    check_log_loss: float
    search_seconds: float
    fit_seconds: float


def tune(
    library: Library,
    encodings: dict[str, Columns],
    event: np.ndarray,
    folds: list[Fold],
    budget_seconds: float,
    threads: int,
    seed: int,
) -> Tuned:
    """`encodings` of the same rows by name, the one that is tried first at the front."""
    random = np.random.default_rng(seed)
    # Seconds of processor over threads: as clock seconds on an idle machine, and no fewer on a busy one.
    clock = lambda: time.process_time() / threads  # noqa: E731
    began = clock()
    names = list(encodings)
    best = (inf, {}, names[0], 1)
    best_by_fold: list[float] = []
    n_trials = 0
    with threadpoolctl.threadpool_limits(threads), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        while n_trials == 0 or clock() - began < budget_seconds:
            settings = library.defaults if n_trials == 0 else library.defaults | library.draw(random)
            encoding = names[0] if n_trials == 0 else names[int(random.integers(len(names)))]
            n_trials += 1
            losses, rounds = [], []
            for fold in folds:
                columns = encodings[encoding]
                check = (columns.at(fold.check), event[fold.check])
                job = Job(columns.at(fold.fit), event[fold.fit], check, MOST_ROUNDS, threads, seed)
                fitted = library.fit(settings, job)
                losses.append(float(log_losses(fitted.predict(check[0]), check[1]).sum()))
                rounds.append(fitted.n_rounds)
                is_late = clock() - began >= budget_seconds
                if best_by_fold and (is_late or sum(losses) > HOPELESS * sum(best_by_fold[: len(losses)])):
                    break
            if len(losses) == len(folds) and sum(losses) < best[0]:
                best_by_fold, best = losses, (sum(losses), settings, encoding, max(1, round(np.mean(rounds))))
        search_seconds = clock() - began
        total, settings, encoding, n_rounds = best
        fitted = library.fit(settings, Job(encodings[encoding], event, None, n_rounds, threads, seed))
    return Tuned(
        fitted=fitted,
        encoding=encoding,
        settings=settings,
        n_trials=n_trials,
        check_log_loss=total / sum(len(fold.check) for fold in folds),
        search_seconds=search_seconds,
        fit_seconds=clock() - began - search_seconds,
    )


def refitted(library: Library, found: Tuned, encodings: dict[str, Columns], event: np.ndarray, threads: int, seed: int) -> Tuned:
    """What an earlier search found, fitted again on all rows."""
    began = time.process_time()
    with threadpoolctl.threadpool_limits(threads), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        job = Job(encodings[found.encoding], event, None, found.fitted.n_rounds, threads, seed)
        fitted = library.fit(found.settings, job)
    return replace(found, fitted=fitted, fit_seconds=(time.process_time() - began) / threads)


# What is drawn


def between(random: np.random.Generator, low: float, high: float) -> float:
    """Even on the logarithm."""
    return float(np.exp(random.uniform(np.log(low), np.log(high))))


def whole(random: np.random.Generator, low: int, high: int) -> int:
    """Even on the logarithm, both ends included."""
    return int(between(random, low - 0.499, high + 0.499) + 0.5)


def draw_lightgbm(random: np.random.Generator) -> dict:
    return {
        "learning_rate": between(random, 0.01, 0.2),
        "num_leaves": whole(random, 3, 96),
        "min_child_samples": whole(random, 5, 200),
        "reg_lambda": between(random, 1e-3, 30.0),
        "colsample_bytree": random.uniform(0.3, 1.0),
        "subsample": random.uniform(0.5, 1.0),
        "subsample_freq": 1,
    }


def draw_xgboost(random: np.random.Generator) -> dict:
    return {
        "learning_rate": between(random, 0.01, 0.3),
        "max_depth": whole(random, 1, 8),
        "min_child_weight": between(random, 0.5, 50.0),
        "reg_lambda": between(random, 0.1, 30.0),
        "gamma": between(random, 1e-3, 3.0),
        "colsample_bytree": random.uniform(0.3, 1.0),
        "subsample": random.uniform(0.5, 1.0),
    }


def draw_catboost(random: np.random.Generator) -> dict:
    return {
        "learning_rate": between(random, 0.02, 0.3),
        "depth": whole(random, 2, 8),
        "l2_leaf_reg": between(random, 1.0, 30.0),
        "random_strength": between(random, 0.1, 5.0),
        "bagging_temperature": random.uniform(0.0, 2.0),
        "rsm": random.uniform(0.4, 1.0),
    }


def draw_hist_gradient_boosting(random: np.random.Generator) -> dict:
    return {
        "learning_rate": between(random, 0.01, 0.2),
        "max_leaf_nodes": whole(random, 3, 96),
        "min_samples_leaf": whole(random, 5, 200),
        "l2_regularization": between(random, 1e-3, 30.0),
        "max_features": random.uniform(0.3, 1.0),
    }


# How each is fitted


def fit_lightgbm(settings: dict, job: Job) -> Fitted:
    model = LGBMClassifier(**settings, n_estimators=job.n_rounds, n_jobs=job.threads, random_state=job.seed, verbose=-1)
    levels = list(job.columns.levels) or "auto"
    if job.check is None:
        model.fit(job.columns.x, job.event, categorical_feature=levels)
    else:
        columns, event = job.check
        stop = early_stopping(PATIENCE, verbose=False)
        model.fit(
            job.columns.x,
            job.event,
            eval_set=[(columns.x, event)],
            eval_metric="binary_logloss",
            categorical_feature=levels,
            callbacks=[stop],
        )
    return Fitted(model.best_iteration_ or job.n_rounds, lambda columns: of_event(model, columns.x))


def fit_xgboost(settings: dict, job: Job) -> Fitted:
    types = ["c" if column in job.columns.levels else "q" for column in range(job.columns.x.shape[1])]
    model = XGBClassifier(
        **settings,
        n_estimators=job.n_rounds,
        n_jobs=job.threads,
        random_state=job.seed,
        enable_categorical=True,
        feature_types=types,
        eval_metric="logloss",
        early_stopping_rounds=None if job.check is None else PATIENCE,
    )
    eval_set = None if job.check is None else [(job.check[0].x, job.check[1])]
    model.fit(job.columns.x, job.event, eval_set=eval_set, verbose=False)
    n_rounds = job.n_rounds if job.check is None else model.best_iteration + 1
    return Fitted(n_rounds, lambda columns: of_event(model, columns.x))


def fit_catboost(settings: dict, job: Job) -> Fitted:
    model = CatBoostClassifier(
        **settings,
        iterations=job.n_rounds,
        thread_count=job.threads,
        random_seed=job.seed,
        allow_writing_files=False,
        logging_level="Silent",
    )
    check = None if job.check is None else pool(*job.check)
    model.fit(pool(job.columns, job.event), eval_set=check, early_stopping_rounds=None if check is None else PATIENCE)
    return Fitted(model.tree_count_, lambda columns: of_event(model, pool(columns, None)))


def pool(columns: Columns, event: np.ndarray | None) -> Pool:
    """CatBoost takes levels as bytes only."""
    is_level = np.isin(np.arange(columns.x.shape[1]), columns.levels)
    levels = np.nan_to_num(columns.x[:, is_level], nan=-1.0).astype(int)
    names = np.array([b"%d" % level for level in range(-1, int(levels.max(initial=-1)) + 1)], dtype=object)
    numbers = np.ascontiguousarray(columns.x[:, ~is_level])
    return Pool(
        FeaturesData(
            num_feature_data=numbers if numbers.shape[1] else None,
            cat_feature_data=names[levels + 1] if is_level.any() else None,
        ),
        label=None if event is None else event.astype(int),
    )


def fit_hist_gradient_boosting(settings: dict, job: Job) -> Fitted:
    model = HistGradientBoostingClassifier(
        **settings,
        max_iter=job.n_rounds,
        random_state=job.seed,
        categorical_features=list(job.columns.levels) or None,
        early_stopping=job.check is not None,
        n_iter_no_change=PATIENCE,
        tol=0.0,
    )
    if job.check is None:
        model.fit(job.columns.x, job.event)
        return Fitted(job.n_rounds, lambda columns: of_event(model, columns.x))
    columns, event = job.check
    model.fit(job.columns.x, job.event, X_val=columns.x, y_val=event)
    # The first score is that of the base rate alone. The model keeps the rounds after the best one too.
    n_rounds = max(1, int(np.argmax(model.validation_score_)))
    staged = lambda columns: nth(model.staged_predict_proba(columns.x), n_rounds - 1)[:, 1].astype(np.float64)
    return Fitted(n_rounds, staged)


def nth(stages, place: int) -> np.ndarray:
    for at, stage in enumerate(stages):
        if at == place:
            return stage
    raise IndexError(place)


def of_event(model: object, rows: object) -> np.ndarray:
    return model.predict_proba(rows)[:, 1].astype(np.float64)


LIBRARIES = {
    "LightGBM": Library({}, draw_lightgbm, fit_lightgbm),
    "XGBoost": Library({}, draw_xgboost, fit_xgboost),
    # Its own default rate depends on the number of rounds, which early stopping changes.
    "CatBoost": Library({"learning_rate": 0.05}, draw_catboost, fit_catboost),
    "HistGradientBoosting": Library({}, draw_hist_gradient_boosting, fit_hist_gradient_boosting),
}
