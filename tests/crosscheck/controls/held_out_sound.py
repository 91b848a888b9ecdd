"""Held-out controls, written by somebody who had not seen the cross-check: the sound ones."""

import math

import torch
from torch.optim import Optimizer


# ----------------------------------------------------------------- sound pieces
def wide(dtype):
    return torch.float32 if dtype in (torch.float16, torch.bfloat16) else dtype


def axes_of(group, x):
    ax = group.get("axis")
    if ax is None:
        return tuple(range(x.dim()))
    return tuple(a % x.dim() for a in ax)


def gsize(x, ax):
    return math.prod(x.shape[a] for a in ax)


def gnorm(x, ax):
    if not ax:
        return x.abs()
    return torch.linalg.vector_norm(x, dim=ax, keepdim=True)


def soft(x, thr):
    return x.sign() * (x.abs() - thr).clamp(min=0)


def block_soft(x, thr, ax):
    n = gnorm(x, ax)
    keep = n > thr
    return x * torch.where(keep, 1 - thr / torch.where(keep, n, torch.ones_like(n)), torch.zeros_like(n))


def default_prox(x, k, group):
    if group["penalty"] == "none":
        return x.clone()
    lam = float(group["lam"])
    if group["penalty"] == "l1":
        return soft(x, k * lam)
    ax = axes_of(group, x)
    return block_soft(x, k * lam * math.sqrt(gsize(x, ax)), ax)


class Common(Optimizer):
    """Checks, sparsity, and a load_state_dict that keeps the width of the state."""

    def __init__(self, groups):
        self.check(groups)
        super().__init__(groups, {"lr": 0.1, "momentum": 1.0})

    def check(self, groups):
        for g in groups:
            if not g["lr"] > 0:
                raise ValueError(f"lr must be positive, got {g['lr']}")
            if not 0 < g["momentum"] <= 1:
                raise ValueError(f"momentum must lie in (0, 1], got {g['momentum']}")
            if g["penalty"] not in ("none", "l1", "group_lasso"):
                raise ValueError(g["penalty"])

    def load_state_dict(self, sd):
        super().load_state_dict(sd)
        mine = [p for g in self.param_groups for p in g["params"]]
        ids = [i for g in sd["param_groups"] for i in g["params"]]
        for i, p in zip(ids, mine, strict=False):
            for k, v in sd["state"].get(i, {}).items():
                if torch.is_tensor(v):
                    self.state[p][k] = v.detach().clone().to(p.device)

    def count_axes(self, group, p):
        return () if group["penalty"] == "l1" else axes_of(group, p)

    @torch.no_grad()
    def sparsity(self):
        zero = total = 0
        for g in self.param_groups:
            if g["penalty"] == "none":
                continue
            for p in g["params"]:
                ax = self.count_axes(g, p)
                z = (p == 0) if not ax else ~(p != 0).to(torch.int32).sum(dim=ax).bool()
                zero += int(z.sum())
                total += z.numel()
        return zero / total if total else 0.0


class RMDA(Common):
    """The plain, per-tensor version."""

    def fresh(self, p):
        return {"t": 0, "alpha": 0.0, "V": torch.zeros_like(p, dtype=wide(p.dtype)), "W0": p.detach().clone()}

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                if not self.state[p]:
                    self.state[p].update(self.fresh(p))
                self.update(p, self.state[p], group)
        return loss

    def update(self, p, st, group):
        st["t"] += 1
        beta = math.sqrt(st["t"])
        s = group["lr"] * beta
        st["alpha"] += s
        st["V"].add_(p.grad.to(st["V"].dtype), alpha=s)
        u = st["W0"].to(st["V"].dtype) - st["V"] / beta
        wt = self.prox(u, st["alpha"] / beta, group, p)
        self.blend(p, wt, group["momentum"])

    def blend(self, p, wt, c):
        p.copy_((1 - c) * p.to(wt.dtype) + c * wt)

    def prox(self, u, k, group, p):
        return default_prox(u, k, group)

    @torch.no_grad()
    def restart(self):
        for group in self.param_groups:
            for p in group["params"]:
                st = self.state.get(p)
                if not st:
                    continue
                self.reset(p, st)

    def reset(self, p, st):
        st["W0"].copy_(p)
        st["V"].zero_()
        st["alpha"] = 0.0
        st["t"] = 0


class ForeachRMDA(Common):
    """The same with foreach kernels."""

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            self.group_step(group)
        return loss

    def collect(self, group):
        ps = [p for p in group["params"] if p.grad is not None]
        for p in ps:
            if len(self.state[p]) == 0:
                w = p.detach().to(wide(p.dtype), copy=True)
                self.state[p]["origin"] = w
                self.state[p]["gsum"] = torch.zeros_like(w)
                self.state[p]["clock"] = 0
                self.state[p]["mass"] = 0.0
        return ps, [self.state[p] for p in ps]

    def group_step(self, group):
        ps, sts = self.collect(group)
        if not ps:
            return
        for st in sts:
            st["clock"] += 1
        betas = [math.sqrt(st["clock"]) for st in sts]
        steps = [group["lr"] * b for b in betas]
        for st, s in zip(sts, steps, strict=False):
            st["mass"] += s
        sums = [st["gsum"] for st in sts]
        gs = [p.grad.to(v.dtype) for p, v in zip(ps, sums, strict=False)]
        torch._foreach_add_(sums, torch._foreach_mul(gs, steps))
        us = torch._foreach_sub([st["origin"] for st in sts], torch._foreach_div(sums, betas))
        wts = [default_prox(u, st["mass"] / b, group) for u, st, b in zip(us, sts, betas, strict=False)]
        self.write(ps, sts, wts, group["momentum"])

    def write(self, ps, sts, wts, c):
        olds = [p.to(w.dtype) for p, w in zip(ps, wts, strict=False)]
        for p, x in zip(ps, torch._foreach_lerp(olds, wts, c), strict=False):
            p.copy_(x)

    @torch.no_grad()
    def restart(self):
        for p, st in self.state.items():
            if "origin" in st:
                st["origin"].copy_(p)
                st["gsum"].zero_()
                st["clock"], st["mass"] = 0, 0.0


class AvgRMDA(Common):
    """Keeps the weighted mean of the gradients (V / alpha)."""

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for g in self.param_groups:
            for p in g["params"]:
                if p.grad is not None:
                    self.one(p, g, p.grad)
        return loss

    def begin(self, p):
        st = self.state[p]
        if "mean" not in st:
            st["mean"] = torch.zeros(p.shape, dtype=wide(p.dtype), device=p.device)
            st["start"] = p.detach().clone().to(st["mean"].dtype)
            st["a"] = 0.0
            st["n"] = 0
        return st

    def one(self, p, g, grad):
        st = self.begin(p)
        st["n"] += 1
        b = st["n"] ** 0.5
        s = g["lr"] * b
        st["a"] += s
        if st["a"] > 0:
            st["mean"].lerp_(grad.to(st["mean"].dtype), s / st["a"])
        k = st["a"] / b
        wt = default_prox(st["start"].add(st["mean"], alpha=-k), k, g)
        p.copy_(torch.lerp(p.to(wt.dtype), wt, g["momentum"]))

    @torch.no_grad()
    def restart(self):
        for g in self.param_groups:
            for p in g["params"]:
                if p in self.state and "mean" in self.state[p]:
                    st = self.state[p]
                    st["start"] = p.detach().clone().to(st["mean"].dtype)
                    st["mean"] = torch.zeros_like(st["mean"])
                    st["a"], st["n"] = 0.0, 0


class Schedule:
    """Sets lr and momentum before every step and restarts."""

    def __init__(self, opt, task):
        self.opt, self.task, self.done = opt, task, 0
        self.apply()

    @staticmethod
    def at(x, t):
        return x(t) if callable(x) else x

    def ramp(self, c, k):
        return min(c * math.sqrt(k), 1.0)

    def rule(self):
        return self.task.rule

    def values(self):
        n, task = self.done, self.task
        rule = self.rule()
        if rule == "given":
            first = 0
            for i, stage in enumerate(task.stages):
                if n < first + stage.n_steps or i == len(task.stages) - 1:
                    break
                first += stage.n_steps
            t = n - first + 1
            return self.at(stage.step_size, t), self.at(stage.momentum, t)
        lr, c = self.at(task.stages[0].step_size, 1), self.at(task.stages[0].momentum, 1)
        past = [r for r in task.restarts if r <= n]
        k = len(past)
        if rule == "decayed":
            return lr * task.gamma**k, min(c / task.gamma**k, 1.0)
        if rule == "ramped":
            last = k == len(task.restarts)
            inside = n - (past[-1] if past else 0) + 1
            return lr * task.gamma**k, self.ramp(c, inside) if last else c
        raise ValueError(rule)

    def apply(self):
        lr, c = self.values()
        for g in self.opt.param_groups:
            g["lr"], g["momentum"] = lr, c

    def step(self):
        self.done += 1
        if self.done in tuple(self.task.restarts):
            self.opt.restart()
        self.apply()

    def state_dict(self):
        return {"done": self.done}

    def load_state_dict(self, sd):
        self.done = sd["done"]
        self.apply()


def correct(groups, task):
    return RMDA(groups)


def correct_foreach(groups, task):
    return ForeachRMDA(groups)


def correct_avg(groups, task):
    return AvgRMDA(groups)


def correct_scheduled(groups, task):
    opt = RMDA(groups)
    return opt, Schedule(opt, task)


CORRECT = {
    "correct": correct,
    "correct_foreach": correct_foreach,
    "correct_avg": correct_avg,
    "correct_scheduled": correct_scheduled,
}
