"""Draws that move with their parameters: gamma and Dirichlet numbers with gradients."""

from __future__ import annotations

from ..op import KEEP, op
from .pointwise import refusing


@refusing("_standard_gamma_grad", "input", "other")
@op(promote=KEEP, public=False, method=False)
def gamma_slope(xp, input, other):
    """How draws of the gamma distribution move with its shape."""
    return xp.gamma_slope(input, other)


@refusing("_dirichlet_grad", "x", "y", "z")
@op(promote=KEEP, public=False, method=False, tensors="z")
def beta_slope(xp, x, y, z):
    """How draws of the beta distribution move with the first of its shapes."""
    return xp.beta_slope(x, y, z)


@op(promote=KEEP, public=False, method=False)
def gamma_draws(xp, input, src):
    """Draws of the gamma distribution of shape `input`, which they move with."""
    return xp.clone(src)


gamma_draws.vjp(input=lambda xp, g, input, out: g * xp.gamma_slope(input, out))
gamma_draws._grad_name = "StandardGammaBackward0"


def dirichlet_slope(xp, x, concentration, total):
    """How a share moves with its own parameter, for what the others give up in proportion."""
    return xp.beta_slope(x, concentration, total - concentration) / (1 - x)


@op(promote=KEEP, public=False, method=False)
def dirichlet_draws(xp, input, src):
    """Draws of the Dirichlet distribution of parameters `input`, which they move with."""
    return xp.clone(src)


def _shares(xp, g, input, out):
    last = input.ndim - 1
    total = xp.expand(xp.sum(input, last, True), input.shape)
    return dirichlet_slope(xp, out, input, total) * (g - xp.sum(out * g, last, True))


dirichlet_draws.vjp(input=_shares)
dirichlet_draws._grad_name = "_DirichletBackward"
