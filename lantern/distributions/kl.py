"""Kullback-Leibler divergences: how far one distribution is from another.

Where the families differ, KL(p || q) is minus the entropy of p minus what p expects of log q, and
log q asks only for a few means of p: of x, x^2, log x, exp(-x / s) or |x - m|.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import lantern
from lantern import Tensor
from lantern.nn.functional import softplus

from .bernoulli import Bernoulli
from .beta import Beta
from .binomial import Binomial
from .categorical import Categorical
from .cauchy import Cauchy
from .continuous_bernoulli import ContinuousBernoulli
from .dirichlet import Dirichlet
from .distribution import Distribution
from .exp_family import ExponentialFamily
from .exponential import Exponential
from .gamma import Gamma
from .geometric import Geometric
from .gumbel import Gumbel
from .half_normal import HalfNormal
from .independent import Independent
from .laplace import Laplace
from .lowrank_multivariate_normal import LowRankMultivariateNormal
from .multivariate_normal import MultivariateNormal, mahalanobis
from .normal import Normal
from .one_hot_categorical import OneHotCategorical
from .pareto import Pareto
from .poisson import Poisson
from .transformed_distribution import TransformedDistribution
from .uniform import Uniform
from .utils import euler_constant, log_diagonal, sum_rightmost

_REGISTRY: dict[tuple[type, type], Callable[[Any, Any], Tensor]] = {}
_FOUND: dict[tuple[type, type], Callable[[Any, Any], Tensor] | None] = {}


def register_kl(type_p: type, type_q: type) -> Callable[[Any], Any]:
    """Registers a function for two classes: `@register_kl(P, Q)` before `def kl(p, q)`.

    Raises TypeError for what is no class of distributions.
    """
    for name, each in (("type_p", type_p), ("type_q", type_q)):
        if not (isinstance(each, type) and issubclass(each, Distribution)):
            raise TypeError(f"Expected {name} to be a Distribution subclass but got {each}")

    def register(function: Any) -> Any:
        _REGISTRY[type_p, type_q] = function
        _FOUND.clear()
        return function

    return register


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """Returns the divergence of q from p, for each place of the batch.

    Raises NotImplementedError where no function is registered for the two classes.

    >>> from lantern.distributions import Normal
    >>> kl_divergence(Normal(0.0, 1.0), Normal(1.0, 1.0))
    tensor(0.5000)
    """
    kinds = (type(p), type(q))
    if kinds not in _FOUND:
        _FOUND[kinds] = _nearest(*kinds)
    function = _FOUND[kinds]
    if function is None:
        raise NotImplementedError(
            f"No KL(p || q) is implemented for p type {type(p).__name__} and q type "
            f"{type(q).__name__}"
        )
    return function(p, q)


def _nearest(kind_p: type, kind_q: type) -> Callable[[Any, Any], Tensor] | None:
    """Returns the function for the nearest classes above two, the first one mattering more."""
    fitting = [k for k in _REGISTRY if issubclass(kind_p, k[0]) and issubclass(kind_q, k[1])]
    if not fitting:
        return None
    far_p, far_q = kind_p.__mro__.index, kind_q.__mro__.index
    left = min(fitting, key=lambda k: (far_p(k[0]), far_q(k[1])))
    right = min(fitting, key=lambda k: (far_q(k[1]), far_p(k[0])))
    if _REGISTRY[left] is not _REGISTRY[right]:
        warnings.warn(
            f"Ambiguous kl_divergence({kind_p.__name__}, {kind_q.__name__}). Please "
            f"register_kl({left[0].__name__}, {right[1].__name__})",
            RuntimeWarning,
            stacklevel=3,
        )
    return _REGISTRY[left]


def _pairs(firsts: str, second: type) -> Callable[[Any], Any]:
    """Registers a function for several classes against one."""

    def register(function: Any) -> Any:
        for name in firsts.split():
            register_kl(globals()[name], second)(function)
        return function

    return register


# --- means that log q asks for
def _square(p: Any) -> Tensor:
    return p.variance + p.mean.pow(2)


def _mean_log(p: Any) -> Tensor:
    """Returns the mean of log x."""
    if isinstance(p, Beta):
        a = p.concentration1
        return a.digamma() - (a + p.concentration0).digamma()
    if isinstance(p, Gamma):
        return p.concentration.digamma() - p.rate.log()
    if isinstance(p, Exponential):
        return -euler_constant - p.rate.log()
    if isinstance(p, Pareto):
        return p.scale.log() + p.alpha.reciprocal()
    low, high = p.low, p.high
    return (lantern.xlogy(high, high) - lantern.xlogy(low, low)) / (high - low) - 1


def _mean_exp(p: Any, t: Tensor) -> Tensor:
    """Returns the mean of exp(-t x)."""
    if isinstance(p, Gamma):
        return (1 + t / p.rate).pow(-p.concentration)
    if isinstance(p, Exponential):
        return p.rate / (p.rate + t)
    if isinstance(p, Normal):
        return (-t * p.loc + (t * p.scale).pow(2) / 2).exp()
    if isinstance(p, Gumbel):
        return (-t * p.loc + (1 + t * p.scale).lgamma()).exp()
    return ((-t * p.low).exp() - (-t * p.high).exp()) / (t * (p.high - p.low))


def _infinite(p: Any, q: Any) -> Tensor:
    """Returns infinities: p has values where q has none."""
    name = next(name for name in p.arg_constraints if name != "logits")
    return lantern.full_like(getattr(p, name), math.inf)


# --- against one family
@_pairs("Beta ContinuousBernoulli Exponential Gamma Gumbel Laplace Uniform", Normal)
def _against_normal(p: Any, q: Normal) -> Tensor:
    apart = p.variance + (p.mean - q.loc).pow(2)
    return -p.entropy() + 0.5 * (2 * math.pi * q.variance).log() + apart / (2 * q.variance)


@_pairs("Pareto", Normal)
def _pareto_normal(p: Pareto, q: Normal) -> Tensor:
    return lantern.where(p.alpha <= 2, math.inf, _against_normal(p, q))


@_pairs("Beta ContinuousBernoulli Gamma Uniform", Exponential)
def _against_exponential(p: Any, q: Exponential) -> Tensor:
    found = -p.entropy() - q.rate.log() + q.rate * p.mean
    return lantern.where(p.low < 0, math.inf, found) if isinstance(p, Uniform) else found


@_pairs("Pareto", Exponential)
def _pareto_exponential(p: Pareto, q: Exponential) -> Tensor:
    return lantern.where(p.alpha <= 1, math.inf, _against_exponential(p, q))


@_pairs("Beta Exponential Uniform", Gamma)
def _against_gamma(p: Any, q: Gamma) -> Tensor:
    a, rate = q.concentration, q.rate
    inner = a.lgamma() - a * rate.log() - (a - 1) * _mean_log(p) + rate * p.mean
    found = -p.entropy() + inner
    return lantern.where(p.low < 0, math.inf, found) if isinstance(p, Uniform) else found


@_pairs("Pareto", Gamma)
def _pareto_gamma(p: Pareto, q: Gamma) -> Tensor:
    return lantern.where(p.alpha <= 1, math.inf, _against_gamma(p, q))


@_pairs("Exponential Gamma Gumbel Normal Uniform", Gumbel)
def _against_gumbel(p: Any, q: Gumbel) -> Tensor:
    t = q.scale.reciprocal()
    inner = q.scale.log() + (p.mean - q.loc) * t + (q.loc * t).exp() * _mean_exp(p, t)
    return -p.entropy() + inner


@_pairs("Beta ContinuousBernoulli", Uniform)
def _unit_uniform(p: Any, q: Uniform) -> Tensor:
    found = -p.entropy() + (q.high - q.low).log()
    return lantern.where((q.low > 0) | (q.high < 1), math.inf, found)


@_pairs("Uniform", Beta)
def _uniform_beta(p: Uniform, q: Beta) -> Tensor:
    a, b = q.concentration1, q.concentration0
    mirrored = Uniform(1 - p.high, 1 - p.low, validate_args=False)
    inner = (a - 1) * _mean_log(p) + (b - 1) * _mean_log(mirrored)
    found = -p.entropy() + a.lgamma() + b.lgamma() - (a + b).lgamma() - inner
    return lantern.where((p.low < 0) | (p.high > 1), math.inf, found)


@_pairs("Beta Uniform", ContinuousBernoulli)
def _against_continuous_bernoulli(p: Any, q: ContinuousBernoulli) -> Tensor:
    inner = p.mean * q.logits + (-q.probs).log1p() + q._cont_bern_log_norm()
    found = -p.entropy() - inner
    if isinstance(p, Uniform):
        return lantern.where((p.low < 0) | (p.high > 1), math.inf, found)
    return found


@_pairs("Uniform", Pareto)
def _uniform_pareto(p: Uniform, q: Pareto) -> Tensor:
    inner = q.alpha.log() + q.alpha * q.scale.log() - (q.alpha + 1) * _mean_log(p)
    return lantern.where(p.low < q.scale, math.inf, -p.entropy() - inner)


@_pairs("Normal", Laplace)
def _normal_laplace(p: Normal, q: Laplace) -> Tensor:
    apart = p.loc - q.loc
    ratio = apart / p.scale
    fall = math.sqrt(2 / math.pi) * p.scale * (-0.5 * ratio.pow(2)).exp()
    mean = fall + apart * lantern.erf(math.sqrt(0.5) * ratio)
    return -p.entropy() + (2 * q.scale).log() + mean / q.scale


for _first, _seconds in {
    Beta: [Pareto],
    ContinuousBernoulli: [Pareto],
    Exponential: [Beta, ContinuousBernoulli, Pareto, Uniform],
    Gamma: [Beta, ContinuousBernoulli, Pareto, Uniform],
    Gumbel: [Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform],
    Laplace: [Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform],
    Normal: [Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform],
    Pareto: [Beta, ContinuousBernoulli, Uniform],
    Poisson: [Bernoulli, Binomial],
}.items():
    for _second in _seconds:
        register_kl(_first, _second)(_infinite)


# --- within one family
@register_kl(Bernoulli, Bernoulli)
def _bernoulli(p: Bernoulli, q: Bernoulli) -> Tensor:
    ones = p.probs * (softplus(-q.logits) - softplus(-p.logits))
    ones = lantern.where(p.probs == 0, 0.0, lantern.where(q.probs == 0, math.inf, ones))
    zeros = (1 - p.probs) * (softplus(q.logits) - softplus(p.logits))
    zeros = lantern.where(p.probs == 1, 0.0, lantern.where(q.probs == 1, math.inf, zeros))
    return ones + zeros


@register_kl(Bernoulli, Poisson)
def _bernoulli_poisson(p: Bernoulli, q: Poisson) -> Tensor:
    return -p.entropy() - (p.probs * q.rate.log() - q.rate)


@register_kl(Beta, Beta)
def _beta(p: Beta, q: Beta) -> Tensor:
    return _dirichlet(p._dirichlet, q._dirichlet)


@register_kl(Binomial, Binomial)
def _binomial(p: Binomial, q: Binomial) -> Tensor:
    if bool((p.total_count < q.total_count).any()):
        raise NotImplementedError(
            "KL between Binomials where q.total_count > p.total_count is not implemented"
        )
    odds = p.probs * (p.logits - q.logits) + (-p.probs).log1p() - (-q.probs).log1p()
    return lantern.where(p.total_count > q.total_count, math.inf, p.total_count * odds)


@register_kl(Categorical, Categorical)
def _categorical(p: Categorical, q: Categorical) -> Tensor:
    each = p.probs * (p.logits - q.logits)
    each = lantern.where(q.probs == 0, math.inf, each)
    return lantern.where(p.probs == 0, 0.0, each).sum(-1)


@register_kl(OneHotCategorical, OneHotCategorical)
def _one_hot(p: OneHotCategorical, q: OneHotCategorical) -> Tensor:
    return _categorical(p._categorical, q._categorical)


@register_kl(Cauchy, Cauchy)
def _cauchy(p: Cauchy, q: Cauchy) -> Tensor:
    apart = (p.scale + q.scale).pow(2) + (p.loc - q.loc).pow(2)
    return apart.log() - (4 * p.scale * q.scale).log()


@register_kl(ContinuousBernoulli, ContinuousBernoulli)
def _continuous_bernoulli(p: ContinuousBernoulli, q: ContinuousBernoulli) -> Tensor:
    mine = p._cont_bern_log_norm() + (-p.probs).log1p()
    other = q._cont_bern_log_norm() + (-q.probs).log1p()
    return p.mean * (p.logits - q.logits) + mine - other


@register_kl(Dirichlet, Dirichlet)
def _dirichlet(p: Dirichlet, q: Dirichlet) -> Tensor:
    a, b = p.concentration, q.concentration
    scale = a.sum(-1).lgamma() - b.sum(-1).lgamma() - (a.lgamma() - b.lgamma()).sum(-1)
    return scale + ((a - b) * (a.digamma() - a.sum(-1, True).digamma())).sum(-1)


@register_kl(Exponential, Exponential)
def _exponential(p: Exponential, q: Exponential) -> Tensor:
    ratio = q.rate / p.rate
    return -ratio.log() + ratio - 1


@register_kl(ExponentialFamily, ExponentialFamily)
def _exponential_family(p: ExponentialFamily, q: ExponentialFamily) -> Tensor:
    if type(p) is not type(q):
        raise NotImplementedError(
            "The cross KL-divergence between different exponential families cannot be computed "
            "using Bregman divergences"
        )
    mine = [each.detach().requires_grad_() for each in p._natural_params]
    normalizer = p._log_normalizer(*mine)
    means = lantern.autograd.grad(normalizer.sum(), mine, create_graph=True)
    result = q._log_normalizer(*q._natural_params) - normalizer
    for a, b, mean in zip(mine, q._natural_params, means, strict=True):
        result = result - sum_rightmost((b - a) * mean, len(q.event_shape))
    return result


@register_kl(Gamma, Gamma)
def _gamma(p: Gamma, q: Gamma) -> Tensor:
    a, b = p.concentration, q.concentration
    scale = b * (p.rate / q.rate).log() + b.lgamma() - a.lgamma()
    return scale + (a - b) * a.digamma() + (q.rate - p.rate) * (a / p.rate)


@register_kl(Geometric, Geometric)
def _geometric(p: Geometric, q: Geometric) -> Tensor:
    return -p.entropy() - (-q.probs).log1p() / p.probs - q.logits


@register_kl(HalfNormal, HalfNormal)
def _half_normal(p: HalfNormal, q: HalfNormal) -> Tensor:
    return _normal(p.base_dist, q.base_dist)


@register_kl(Independent, Independent)
def _independent(p: Independent, q: Independent) -> Tensor:
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError
    return sum_rightmost(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)


@register_kl(Laplace, Laplace)
def _laplace(p: Laplace, q: Laplace) -> Tensor:
    ratio, apart = p.scale / q.scale, (p.loc - q.loc).abs()
    return -ratio.log() + apart / q.scale + ratio * (-apart / p.scale).exp() - 1


@register_kl(MultivariateNormal, MultivariateNormal)
@register_kl(MultivariateNormal, LowRankMultivariateNormal)
@register_kl(LowRankMultivariateNormal, MultivariateNormal)
@register_kl(LowRankMultivariateNormal, LowRankMultivariateNormal)
def _multivariate_normal(p: Any, q: Any) -> Tensor:
    if p.event_shape != q.event_shape:
        raise ValueError(
            "KL-divergence between two Multivariate Normals with different event shapes cannot be "
            "computed"
        )
    n = p.event_shape[0]
    batch = lantern.broadcast_shapes(p.batch_shape, q.batch_shape)
    mine, other = (each.scale_tril.expand(*batch, n, n) for each in (p, q))
    spread = lantern.linalg.solve(other.tril(), mine).pow(2).sum((-2, -1))
    volume = log_diagonal(other) - log_diagonal(mine)
    return volume + 0.5 * (spread + mahalanobis(other, q.loc - p.loc) - n)


@register_kl(Normal, Normal)
def _normal(p: Normal, q: Normal) -> Tensor:
    ratio = (p.scale / q.scale).pow(2)
    return 0.5 * (ratio + ((p.loc - q.loc) / q.scale).pow(2) - 1 - ratio.log())


@register_kl(Pareto, Pareto)
def _pareto(p: Pareto, q: Pareto) -> Tensor:
    ratio = q.alpha / p.alpha
    found = q.alpha * (p.scale / q.scale).log() - ratio.log() + ratio - 1
    return lantern.where(p.scale < q.scale, math.inf, found)


@register_kl(Poisson, Poisson)
def _poisson(p: Poisson, q: Poisson) -> Tensor:
    return p.rate * (p.rate.log() - q.rate.log()) - (p.rate - q.rate)


@register_kl(TransformedDistribution, TransformedDistribution)
def _transformed(p: TransformedDistribution, q: TransformedDistribution) -> Tensor:
    if p.transforms != q.transforms or p.event_shape != q.event_shape:
        raise NotImplementedError
    return kl_divergence(p.base_dist, q.base_dist)


@register_kl(Uniform, Uniform)
def _uniform(p: Uniform, q: Uniform) -> Tensor:
    found = ((q.high - q.low) / (p.high - p.low)).log()
    return lantern.where((q.low > p.low) | (q.high < p.high), math.inf, found)
