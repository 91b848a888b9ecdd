"""Minimise F(X w + b) + psi(w) to a proved duality gap: Newton on a manifold, within a working set that the gap corrects."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from rmda_ref.algorithms.manifold_newton import ManifoldNewton
from rmda_ref.certificates.duality import dual_value
from rmda_ref.linear_model.restrict import companions, restricted
from rmda_ref.linear_model.working_set import WorkingSet
from rmda_ref.losses.base import LinearPredictorLoss
from rmda_ref.regularizers import Block, Blocks, Regularizer

def flat_psi(psi, part):
    blocks = [Block("coef", part.shape, psi)]
    if part.loss.fit_intercept:
        blocks.append(Block("intercept", (part.n_outputs,)))
    return Blocks(tuple(blocks))

def solve(loss, psi, w, tol, prox_step, max_rounds=100, log=None):
    everything = WorkingSet(loss)
    whole = flat_psi(psi, everything)
    scale = loss.value_at(everything.forward(np.zeros_like(w)))
    z = everything.forward(w)
    S = None
    for round_ in range(max_rounds):
        u = loss.dual_at(z)
        if loss.fit_intercept: u = loss.balanced(u)
        g = everything.adjoint(u)
        coef = everything.coefficients(w)
        primal = loss.value_at(z) + psi.value(coef)
        gap = primal - dual_value(loss, psi, u, everything.coefficients(g))
        if log: log(round_, primal, gap, w, S)
        if gap <= tol * scale:
            break
        S = choose(everything, whole, psi, w, g, prox_step)
        part = everything if S is None else WorkingSet(loss, S)
        psi_S = psi if S is None else restricted(psi, everything.shape, S)
        index = np.arange(everything.size)
        if S is not None:
            index = np.concatenate((index[:everything.n_coef].reshape(everything.shape)[..., S].ravel(), index[everything.n_coef:]))
        goal = max(0.3 * gap, 0.3 * tol * scale) if S is not None else tol*scale
        newton = ManifoldNewton(flat_psi(psi_S, part))
        state = newton.init(part, w[index], prox_step)
        for inner in range(50):
            state = newton.step(part, state)
            u = state.dual
            if loss.fit_intercept: u = loss.balanced(u)
            inner_gap = state.objective - dual_value(loss, psi_S, u, part.coefficients(part.adjoint(u)))
            if inner_gap <= goal: break
        print('   inner', inner+1, inner_gap, goal, 'S', None if S is None else S.size)
        w = w.copy(); w[index] = state.iterate
        z, prox_step = state.predictor, state.prox_step
    return w, primal, gap

def choose(everything, whole, psi, w, g, tau):
    features = lambda v: everything.coefficients(v).reshape(-1, everything.n_features).any(axis=0)
    def entering(kappa):
        return features(whole.prox(w - tau * g, tau*kappa))
    support = features(w)
    if companions(psi, everything.shape, support) is None: return None
    cap = max(2 * support.sum(), 100)
    S = support | entering(1.0)
    if S.sum() > cap:
        lo, hi = 1.0, 2.0
        while (support | entering(hi)).sum() > cap: lo, hi = hi, 2*hi
        for _ in range(12):
            mid = (lo*hi)**.5
            if (support|entering(mid)).sum() > cap: lo = mid
            else: hi = mid
        S = support | entering(lo if (support|entering(hi)).sum()==support.sum() else hi)
    S = companions(psi, everything.shape, S)
    if S.sum() > everything.n_features/2: return None
    return np.flatnonzero(S)
