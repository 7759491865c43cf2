"""Prints the reference values of `crates/learn/tests/logistic.rs`: coefficients of scikit-learn's logistic regression and
of scipy's bounded L-BFGS-B, standard errors of statsmodels, on rows that both sides make by formula.

    logistic_reference.py        needs statsmodels beside requirements.txt
"""

import warnings

import numpy as np
import scipy
import sklearn
import statsmodels
import statsmodels.api as sm
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

# rows, columns, C
SETS = [(120, 3, 1.0), (400, 6, 0.1), (1000, 10, 30.0)]


def rows(n, p):
    """Columns, labels, weights, groups; all values are multiples of 1/64."""
    row, column = np.arange(n)[:, None], np.arange(p)[None, :]
    x = ((row * (7 + 4 * column) + row * row * (3 + column)) % 257 - 128) / 64.0
    x[:, p - 1] += x[:, 0]
    row = np.arange(n)
    y = x[:, 0] - x[:, 1] + ((row * 37 + row * row * 11) % 101 - 60) / 32.0 > 0
    weight = 0.25 + (row * 13 % 8) * 0.25
    return x, y, weight, row * 29 % 23


def show(name, values):
    print(f"{name}: [{', '.join(f'{value:.11g}' for value in np.ravel(values))}]")


def fitted(model, x, y, weight=None):
    model.fit(x, y, sample_weight=weight)
    return np.append(model.coef_[0], model.intercept_[0])


def ridge(x, y, weight, c):
    lbfgs = fitted(LogisticRegression(C=c, tol=1e-12, max_iter=100_000), x, y, weight)
    newton = fitted(LogisticRegression(C=c, tol=1e-12, max_iter=1000, solver="newton-cholesky"), x, y, weight)
    assert np.allclose(lbfgs, newton, rtol=1e-5), (lbfgs, newton)
    return newton


def elastic_net(x, y, weight, c):
    saga = LogisticRegression(C=c, l1_ratio=0.5, solver="saga", tol=1e-14, max_iter=1_000_000, random_state=0)
    return fitted(saga, x, y, weight)


def non_negative(x, y, weight, c):
    def objective(parameters):
        b, eta = parameters[:-1], x @ parameters[:-1] + parameters[-1]
        residual = weight * (1 / (1 + np.exp(-eta)) - y)
        loss = (weight * np.logaddexp(0, np.where(y, -eta, eta))).sum() + b @ b / (2 * c)
        return loss, np.append(x.T @ residual + b / c, residual.sum())

    bounds = [(0, None)] * x.shape[1] + [(None, None)]
    options = {"maxiter": 100_000, "maxfun": 1_000_000, "ftol": 0, "gtol": 1e-12, "maxcor": 30}
    return minimize(objective, np.zeros(x.shape[1] + 1), jac=True, method="L-BFGS-B", bounds=bounds, options=options).x


def main():
    warnings.simplefilter("ignore")
    print(f"scikit-learn {sklearn.__version__}, scipy {scipy.__version__}, statsmodels {statsmodels.__version__}")
    print("coefficients, then the intercept")
    for n, p, c in SETS:
        x, y, weight, group = rows(n, p)
        print(f"\n{n} rows, {p} columns, C = {c}, {y.sum()} with the outcome")
        show("L2, weighted", ridge(x, y, weight, c))
        show("L2", ridge(x, y, None, c))
        show("elastic net, weighted", elastic_net(x, y, weight, c / 10))
        show("non-negative, weighted", non_negative(x, y, weight, c))
        plain = sm.Logit(y.astype(float), np.c_[x, np.ones(n)])
        show("standard errors", plain.fit(disp=0, method="newton", maxiter=100, tol=1e-14).bse)
        clustered = plain.fit(
            disp=0, method="newton", maxiter=100, tol=1e-14, cov_type="cluster", cov_kwds={"groups": group}
        )
        show("clustered", clustered.bse)


if __name__ == "__main__":
    main()
