"""RMDA in NumPy as a plain function, and functions that misbehave."""

import time

import numpy as np


class Step:
    """step(params, grads) -> params, with everything optional that the adapter knows."""

    def __init__(self, task):
        self.task = task
        self.state = {}
        self.t = {}

    def __call__(self, params, grads):
        return {p.name: self.move(p, params[p.name], grads[p.name]) for p in self.task.parameters}

    def move(self, p, w, grad):
        if grad is None:
            return w
        anchor, total, weight, t = self.state.get(p.name, (w, np.zeros_like(w), 0.0, 0))
        t += 1
        weighted = self.task.step_size(t) * t**0.5
        total, weight = total + w.dtype.type(weighted) * grad, weight + weighted
        self.state[p.name] = anchor, total, weight, t
        structured = self.prox(p, anchor - total / w.dtype.type(t**0.5), weight / t**0.5)
        c = w.dtype.type(self.task.momentum(t))
        return (1 - c) * w + c * structured

    def prox(self, p, x, strength):
        if p.penalty == "none":
            return x
        size = np.abs(x) if p.axis is None else np.sqrt(np.sum(x * x, axis=p.axis, keepdims=True))
        threshold = x.dtype.type(strength * float(p.lam) * (x.size / size.size) ** 0.5)
        return x * np.where(size > threshold, 1 - threshold / np.where(size > 0, size, 1), 0).astype(x.dtype)

    def restart(self, task):
        self.task, self.state = task, {}

    def save(self):
        return dict(self.state)

    def load(self, saved):
        self.state = dict(saved)

    def sparsity(self, params):
        alive = [np.any(params[p.name], axis=p.axis or ()).ravel() for p in self.task.parameters if p.penalty != "none"]
        return float(np.mean(~np.concatenate(alive)))


def make(task):
    return Step(task)


def make_raises(task):
    raise RuntimeError("no such option")


def make_nothing(task):
    return 42


class Misbehaves(Step):
    def __init__(self, task, how):
        super().__init__(task)
        self.how = how

    def __call__(self, params, grads):
        new = super().__call__(params, grads)
        name = self.task.parameters[0].name
        match self.how:
            case "dtype":
                other = np.float32 if new[name].dtype == np.float64 else np.float64
                new[name] = new[name].astype(other)
            case "shape":
                new[name] = new[name].reshape(1, *new[name].shape)
            case "not finite":
                new[name][(0,) * new[name].ndim] = np.nan
            case "hang":
                time.sleep(3600)
            case "mutates":
                if grads[name] is not None:
                    grads[name] *= 2
            case "raises":
                raise KeyError("momentum_buffer")
            case "keys":
                del new[name]
            case "exits":
                raise SystemExit(3)
        return new


def misbehaving(how):
    return lambda task: Misbehaves(task, how)


class WrongThreshold(Step):
    def prox(self, p, x, strength):
        return super().prox(p, x, self.task.step_size(1))


def make_wrong(task):
    return WrongThreshold(task)
