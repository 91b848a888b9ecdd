"""RMDA as an Optax-style gradient transformation: the positive control, and one mistake."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax


class RMDAState(NamedTuple):
    count: Any
    weight: Any
    anchor: Any
    grad_sum: Any
    prox_iterate: Any


def make_optimizer(task, centre_on="anchor"):
    parameters = {p.name: p for p in task.parameters}

    def prox(name, x, strength):
        p = parameters[name]
        if p.penalty == "l1":
            return jnp.sign(x) * jnp.maximum(jnp.abs(x) - strength * p.lam, 0)
        if p.penalty == "group_lasso":
            norm = jnp.sqrt(jnp.sum(x * x, axis=p.axis, keepdims=True))
            threshold = strength * p.lam * (x.size / norm.size) ** 0.5
            return x * jnp.where(norm > threshold, 1 - threshold / jnp.where(norm > 0, norm, 1), 0)
        return x

    def init(params):
        zeros = jax.tree.map(jnp.zeros_like, params)
        return RMDAState(jnp.zeros((), jnp.int32), 0.0, params, zeros, params)

    def update(grads, state, params):
        count = state.count + 1
        t = int(count)
        scale = t**0.5
        weighted = task.step_size(t) * scale
        weight = state.weight + weighted
        grad_sum = jax.tree.map(lambda v, g: v + weighted * g, state.grad_sum, grads)
        centre = state.anchor if centre_on == "anchor" else params
        structured = {n: prox(n, centre[n] - grad_sum[n] / scale, weight / scale) for n in params}
        c = task.momentum(t)
        updates = jax.tree.map(lambda w, y: ((1 - c) * w + c * y) - w, params, structured)
        return updates, RMDAState(count, weight, state.anchor, grad_sum, structured)

    return optax.GradientTransformation(init, update)


def make_centred_on_iterate(task):
    return make_optimizer(task, centre_on="iterate")
