"""Distributions that are compared with PyTorch's, and what is asked of each."""

from __future__ import annotations

# By name: how it is made, with `D` the module and `t` a function that makes float64 tensors.
CASES = {
    "Bernoulli": "D.Bernoulli(t([0.1, 0.5, 1.0]))",
    "Bernoulli logits": "D.Bernoulli(logits=t([[-2.0], [0.3]]))",
    "Beta": "D.Beta(t([0.5, 2.0, 9.0]), t([3.0, 0.7, 9.0]))",
    "Binomial": "D.Binomial(5, t([0.1, 0.9]))",
    "Binomial logits": "D.Binomial(t([3.0, 40.0]), logits=t([0.2, -1.0]))",
    "Categorical": "D.Categorical(t([[0.2, 0.3, 0.5], [1.0, 0.0, 3.0]]))",
    "Categorical logits": "D.Categorical(logits=t([0.2, -1.0, 3.0]))",
    "Cauchy": "D.Cauchy(t([0.0, 2.0]), t([1.0, 0.5]))",
    "Chi2": "D.Chi2(t([1.5, 7.0]))",
    "ContinuousBernoulli": "D.ContinuousBernoulli(t([0.1, 0.4995, 0.5, 0.9]))",
    "ContinuousBernoulli logits": "D.ContinuousBernoulli(logits=t([-1.0, 0.001, 2.0]))",
    "Dirichlet": "D.Dirichlet(t([[0.5, 2.0, 9.0], [1.5, 1.5, 4.0], [0.3, 0.4, 0.2]]))",
    "Exponential": "D.Exponential(t([0.5, 3.0]))",
    "FisherSnedecor": "D.FisherSnedecor(t([3.0, 9.0, 1.0]), t([5.0, 3.0, 1.5]))",
    "Gamma": "D.Gamma(t([0.3, 1.0, 8.0]), t([1.0, 0.5, 3.0]))",
    "GeneralizedPareto": "D.GeneralizedPareto(t([0.0, 1.0, 2.0]), 2.0, t([0.2, 0.0, -0.4]))",
    "Geometric": "D.Geometric(t([0.2, 0.9, 1.0]))",
    "Geometric logits": "D.Geometric(logits=t([0.2, -1.0]))",
    "Gumbel": "D.Gumbel(t([0.0, 2.0]), t([1.0, 0.5]))",
    "HalfCauchy": "D.HalfCauchy(t([1.0, 0.5]))",
    "HalfNormal": "D.HalfNormal(t([1.0, 0.5]))",
    "Independent": "D.Independent(D.Normal(t([[0.0, 2.0]]).expand(3, 2), 1.0), 1)",
    "InverseGamma": "D.InverseGamma(t([0.7, 1.5, 8.0]), t([1.0, 0.5, 3.0]))",
    "Kumaraswamy": "D.Kumaraswamy(t([0.5, 2.0]), t([3.0, 1.5]))",
    "LKJCholesky": "D.LKJCholesky(3, t([0.5, 2.0]))",
    "Laplace": "D.Laplace(t([0.0, 2.0]), t([1.0, 0.5]))",
    "LogNormal": "D.LogNormal(t([0.0, 2.0]), t([1.0, 0.5]))",
    "LogisticNormal": "D.LogisticNormal(t([[0.0, 2.0], [1.0, -1.0]]), t([1.0, 0.5]))",
    "LowRankMultivariateNormal": "D.LowRankMultivariateNormal(t([[0.0, 2.0, 1.0]]).expand(2, 3), "
    "t([[1.0], [2.0], [0.5]]), t([0.5, 1.0, 2.0]))",
    "MixtureSameFamily": "D.MixtureSameFamily(D.Categorical(t([[0.3, 0.7], [0.5, 0.5]])), "
    "D.Normal(t([[0.0, 2.0], [1.0, 5.0]]), t([1.0, 0.5])))",
    "MixtureSameFamily vectors": "D.MixtureSameFamily(D.Categorical(t([0.3, 0.7])), "
    "D.Independent(D.Normal(t([[0.0, 2.0], [1.0, 5.0]]), 1.0), 1))",
    "Multinomial": "D.Multinomial(4, t([[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]]))",
    "Multinomial logits": "D.Multinomial(3, logits=t([0.2, 0.3, 0.5]))",
    "MultivariateNormal": "D.MultivariateNormal(t([[0.0, 2.0], [1.0, 1.0], [3.0, 0.0]]), "
    "t([[2.0, 0.5], [0.5, 1.0]]))",
    "MultivariateNormal precision": "D.MultivariateNormal(t([0.0, 2.0]), "
    "precision_matrix=t([[2.0, 0.5], [0.5, 1.0]]))",
    "MultivariateNormal factor": "D.MultivariateNormal(t([0.0, 2.0]), "
    "scale_tril=t([[[2.0, 0.0], [0.5, 1.0]], [[1.0, 0.0], [3.0, 2.0]]]))",
    "NegativeBinomial": "D.NegativeBinomial(t([3.0, 5.5]), t([0.2, 0.7]))",
    "Normal": "D.Normal(t([0.0, 2.0]), t([1.0, 0.5]))",
    "Normal number": "D.Normal(t(0.5), 2.0)",
    "OneHotCategorical": "D.OneHotCategorical(t([[0.2, 0.3, 0.5], [1.0, 0.0, 3.0]]))",
    "OneHotCategoricalStraightThrough": "D.OneHotCategoricalStraightThrough(t([0.2, 0.3, 0.5]))",
    "Pareto": "D.Pareto(t([1.0, 0.5]), t([3.0, 1.5]))",
    "Poisson": "D.Poisson(t([0.5, 30.0]))",
    "RelaxedBernoulli": "D.RelaxedBernoulli(t(0.7), t([0.2, 0.9]))",
    "RelaxedOneHotCategorical": "D.RelaxedOneHotCategorical(t(0.7), t([[0.2, 0.3, 0.5]]))",
    "StudentT": "D.StudentT(t([0.8, 1.5, 6.0]), t([0.0, 1.0, 2.0]), 2.0)",
    "TransformedDistribution": "D.TransformedDistribution(D.Normal(t([0.0, 2.0]), 1.0), "
    "[D.AffineTransform(1.0, -2.0), D.SigmoidTransform()])",
    "Uniform": "D.Uniform(t([0.0, -2.0]), t([1.0, 5.0]))",
    "VonMises": "D.VonMises(t([0.0, 2.0]), t([1.0, 9.0]))",
    "Weibull": "D.Weibull(t([1.0, 0.5]), t([3.0, 1.5]))",
    "Wishart": "D.Wishart(t([3.0, 7.0]), t([[2.0, 0.5], [0.5, 1.0]]))",
}
# Not PyTorch's stream: its Wishart draws are thrown away and drawn anew.
OWN_STREAM = {"Wishart"}
SINGLE = {"GeneralizedPareto"}  # which PyTorch computes in float32 only
ASKED = "mean mode variance stddev entropy() perplexity() enumerate_support() support batch_shape "
ASKED += "event_shape has_rsample"


def make(torch, name):
    """Makes one of the cases."""

    def t(values):
        return torch.tensor(values, dtype=kind_of(torch, name))

    return eval(CASES[name], {"D": torch.distributions, "t": t})


def kind_of(torch, name):
    """The dtype that a case is made in."""
    return torch.float32 if name in SINGLE else torch.float64


def answer(question):
    """What a question gives: an array, a text, or the kind of the error."""
    try:
        found = question()
    except NotImplementedError:
        return "NotImplementedError"
    if hasattr(found, "detach"):
        return found.detach().double().numpy()
    return str(found)


def answers(torch, name, values=None):
    """What a distribution says of itself and of `values` (its own draws without)."""
    d = make(torch, name)
    found = {each: answer(lambda e=each: eval(f"d.{e}", {"d": d})) for each in ASKED.split()}
    torch.manual_seed(7)
    found["sample"] = answer(lambda: d.sample((3,)))
    if values is None:
        values = found["sample"]
    x = torch.tensor(values, dtype=kind_of(torch, name))
    found["log_prob"] = answer(lambda: d.log_prob(x))
    found["cdf"] = answer(lambda: d.cdf(x))
    if x.ndim == 1 + len(d.batch_shape):
        part = torch.linspace(0.1, 0.9, 3, dtype=x.dtype).reshape(3, *[1] * (x.ndim - 1))
        found["icdf"] = answer(lambda: d.icdf(part.expand(x.shape)))
    found["expanded"] = answer(lambda: d.expand((2, *d.batch_shape)).log_prob(x.unsqueeze(1)))
    return found


# Pairs whose divergence is asked for, all of each row against all others of it.
FAMILIES = {
    "real": "Normal Laplace Gumbel Cauchy",
    "positive": "Exponential Gamma Pareto HalfNormal LogNormal Normal Gumbel Chi2 Weibull",
    "unit": "Beta ContinuousBernoulli Uniform Exponential Gamma Normal Gumbel Pareto Laplace",
    "counts": "Bernoulli Poisson Binomial Geometric",
    "classes": "Categorical OneHotCategorical Dirichlet",
    "matrices": "MultivariateNormal LowRankMultivariateNormal Wishart",
    "parts": "Independent",
}
PARAMETERS = {
    "Normal": "([0.2, 1.0], [1.0, 2.0])", "Laplace": "([0.5, 1.0], [1.0, 2.0])",
    "Gumbel": "([0.2, 1.0], [1.0, 2.0])", "Cauchy": "([0.2, 1.0], [1.0, 2.0])",
    "Exponential": "([0.5, 2.0],)", "Gamma": "([0.5, 2.0], [1.5, 0.5])",
    "Pareto": "([0.1, 1.0], [1.5, 4.0])", "HalfNormal": "([0.5, 2.0],)",
    "LogNormal": "([0.2, 1.0], [1.0, 2.0])", "Chi2": "([0.5, 2.0],)",
    "Weibull": "([0.5, 2.0], [1.0, 3.0])", "Beta": "([0.5, 2.0], [1.5, 0.5])",
    "ContinuousBernoulli": "([0.2, 0.7],)", "Uniform": "([0.1, 0.2], [0.9, 0.7])",
    "Bernoulli": "([0.2, 0.7],)", "Poisson": "([0.2, 3.0],)", "Geometric": "([0.2, 0.7],)",
    "Categorical": "([0.2, 0.3, 0.5],)", "OneHotCategorical": "([0.2, 0.3, 0.5],)",
    "Dirichlet": "([0.2, 3.0, 0.5],)",
}  # fmt: skip
OTHER = {"real": 1.3, "positive": 1.3, "unit": 1.05, "counts": 1.2, "classes": 1.0}


def pair(torch, family, name, changed):
    """Makes a distribution for a divergence; `changed` gives another one of the same kind."""

    def t(values):
        found = torch.tensor(values, dtype=torch.float64)
        return found * OTHER[family] if changed else found

    D = torch.distributions
    if name in PARAMETERS:
        return getattr(D, name)(*map(t, eval(PARAMETERS[name])))
    if name == "Binomial":
        return D.Binomial(5, t([0.2, 0.7]))
    shift = 0.5 if changed else 0.0
    n = torch.tensor([[2.0, 0.5], [0.5, 1.0]], dtype=torch.float64) + shift * torch.eye(2).double()
    loc = torch.tensor([shift, 2.0], dtype=torch.float64)
    if name == "MultivariateNormal":
        return D.MultivariateNormal(loc, n)
    if name == "LowRankMultivariateNormal":
        return D.LowRankMultivariateNormal(loc, n[:, :1], n.diagonal())
    if name == "Wishart":
        return D.Wishart(loc[1] + 1 + shift, n)
    return D.Independent(D.Normal(loc, 1.0 + shift), 1)


def divergences(torch):
    """The divergence of every pair, or the kind of the error."""
    found = {}
    for family, names in FAMILIES.items():
        for p in names.split():
            for q in names.split():
                one, other = pair(torch, family, p, False), pair(torch, family, q, True)
                found[f"{family} {p} {q}"] = answer(
                    lambda p=one, q=other: torch.distributions.kl_divergence(p, q)
                )
    return found
