"""The peers on the same problems, each as its documentation has it done, with the solver it is best with."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.problems import CONFIDENCE, Market

Vector = NDArray[np.float64]


class PyPortfolioOpt:
    """Takes a dense covariance."""

    @staticmethod
    def minimum_variance(of: Market) -> Vector:
        from pypfopt import EfficientFrontier

        chosen = EfficientFrontier(of.expected, of.covariance, solver="CLARABEL")
        chosen.min_volatility()
        return np.asarray(chosen.weights)

    @staticmethod
    def maximum_return(of: Market, variance: float) -> Vector:
        from pypfopt import EfficientFrontier

        chosen = EfficientFrontier(of.expected, of.covariance, solver="CLARABEL")
        chosen.efficient_risk(float(np.sqrt(variance)))
        return np.asarray(chosen.weights)

    @classmethod
    def frontier(cls, of: Market, variances: Vector) -> list[Vector]:
        return [cls.maximum_return(of, variance) for variance in variances]

    @staticmethod
    def least_shortfall(returns: Vector) -> Vector:
        from pypfopt import EfficientCVaR

        chosen = EfficientCVaR(None, pd.DataFrame(returns), beta=CONFIDENCE)
        chosen.min_cvar()
        return np.asarray(chosen.weights)


class Skfolio:
    """Takes returns; the prior hands it the covariance."""

    @staticmethod
    def _fitted(of: Market, **options: object) -> Vector:
        from skfolio.optimization import MeanRisk
        from skfolio.prior import BasePrior, ReturnDistribution

        class Given(BasePrior):
            def __init__(self) -> None:
                """Nothing is estimated."""

            def fit(self, X: object, y: object = None, **params: object) -> Given:  # noqa: N803
                shape = (2, len(of.expected))
                self.return_distribution_ = ReturnDistribution(
                    mu=of.expected, covariance=of.covariance, returns=np.zeros(shape)
                )
                return self

        model = MeanRisk(prior_estimator=Given(), solver="CLARABEL", **options)
        return np.atleast_2d(model.fit(np.zeros((2, len(of.expected)))).weights_)

    @classmethod
    def minimum_variance(cls, of: Market) -> Vector:
        return cls._fitted(of)[0]

    @classmethod
    def maximum_return(cls, of: Market, variance: float) -> Vector:
        from skfolio.optimization import ObjectiveFunction

        return cls._fitted(of, objective_function=ObjectiveFunction.MAXIMIZE_RETURN, max_variance=variance)[0]

    @classmethod
    def frontier(cls, of: Market, variances: Vector) -> list[Vector]:
        return [cls.maximum_return(of, variance) for variance in variances]

    @staticmethod
    def least_shortfall(returns: Vector) -> Vector:
        from skfolio import RiskMeasure
        from skfolio.optimization import MeanRisk

        model = MeanRisk(risk_measure=RiskMeasure.CVAR, cvar_beta=CONFIDENCE, solver="CLARABEL")
        return np.asarray(model.fit(returns).weights_)


class Riskfolio:
    """Takes returns; its covariance is replaced."""

    @staticmethod
    def minimum_variance(of: Market) -> Vector:
        import riskfolio

        size = len(of.expected)
        names = [f"a{number}" for number in range(size)]
        chosen = riskfolio.Portfolio(returns=pd.DataFrame(np.zeros((2, size)), columns=names))
        chosen.mu = pd.DataFrame(of.expected[None, :], columns=names)
        chosen.cov = pd.DataFrame(of.covariance, index=names, columns=names)
        chosen.solvers = ["CLARABEL"]
        return chosen.optimization(model="Classic", rm="MV", obj="MinRisk", hist=True).to_numpy().ravel()

    @staticmethod
    def least_shortfall(returns: Vector) -> Vector:
        import riskfolio

        chosen = riskfolio.Portfolio(returns=pd.DataFrame(returns), alpha=1.0 - CONFIDENCE)
        chosen.assets_stats(method_mu="hist", method_cov="hist")
        chosen.solvers = ["CLARABEL"]
        return chosen.optimization(model="Classic", rm="CVaR", obj="MinRisk", hist=True).to_numpy().ravel()


class Cvxportfolio:
    """Takes a factor model; decides the first period of a back-test, from cash."""

    @classmethod
    def minimum_variance(cls, of: Market) -> Vector:
        return cls._weights(of, None)

    @classmethod
    def maximum_return(cls, of: Market, variance: float) -> Vector:
        return cls._weights(of, variance)

    @classmethod
    def frontier(cls, of: Market, variances: Vector) -> list[Vector]:
        return [cls._weights(of, variance) for variance in variances]

    @staticmethod
    def _weights(of: Market, variance: float | None) -> Vector:
        import cvxportfolio as cvx

        names = [f"a{number}" for number in range(len(of.expected))]
        factors, specific = pd.DataFrame(of.factors, columns=names), pd.Series(of.specific, index=names)
        risk = cvx.FactorModelCovariance(F=factors, d=specific)
        rules = [cvx.LongOnly(), cvx.NoCash()]
        if variance is None:
            objective = -1.0 * risk
        else:
            objective = cvx.ReturnsForecast(r_hat=pd.Series(of.expected, index=names))
            rules.append(risk <= variance)
        days = pd.bdate_range("2026-01-01", periods=4)
        returns = pd.DataFrame(0.0, index=days, columns=[*names, "cash"])
        data = cvx.UserProvidedMarketData(returns=returns, cash_key="cash", min_history=pd.Timedelta("0d"))
        policy = cvx.SinglePeriodOptimization(objective, rules, include_cash_return=False, solver="CLARABEL")
        start = pd.Series(np.append(np.zeros(len(names)), 1.0), index=returns.columns)
        trades, *_ = policy.execute(h=start, market_data=data, t=days[2])
        return (start + trades).to_numpy()[:-1]
