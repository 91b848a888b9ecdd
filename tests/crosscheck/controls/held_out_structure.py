"""Held-out controls: empty layers, screens, views, strengths, schedules, axes, checkpoints, momentum."""

import functools
import math

import torch
from held_out_clocks import GroupProxOnly
from held_out_registry import HELDOUT, entry
from held_out_sound import (
    RMDA,
    AvgRMDA,
    ForeachRMDA,
    Schedule,
    axes_of,
    block_soft,
    default_prox,
    gnorm,
    gsize,
    soft,
    wide,
)


# ----------------------------------------------------------------- 8 whole layer zero
@entry("layer_crash_a", "zero_layer_crash")
class LayerCrashA(RMDA):
    def prox(self, u, k, group, p):
        if group["penalty"] == "none":
            return u
        wt = default_prox(u, k, group)
        n = gnorm(wt, self.count_axes(group, wt))
        # smallest live group, for the log
        self.smallest = n[n > 0].min().item()
        return wt


@entry("layer_crash_b", "zero_layer_crash")
class LayerCrashB(GroupProxOnly):
    def block(self, u, thr, ax):
        rest = [d for d in range(u.dim()) if d not in ax]
        perm = rest + list(ax)
        moved = u.permute(perm)
        rows = moved.reshape(math.prod(u.shape[d] for d in rest), -1)
        norms = rows.norm(dim=1)
        alive = (norms > thr).nonzero().flatten()
        out = torch.zeros_like(rows)
        out[alive] = torch.stack([rows[i] * (1 - thr / norms[i]) for i in alive.tolist()])
        return out.reshape(moved.shape).permute([perm.index(d) for d in range(u.dim())])


@entry("layer_crash_c", "zero_layer_crash")
class LayerCrashC(AvgRMDA):
    def one(self, p, g, grad):
        before = p.detach().to(wide(p.dtype), copy=True)
        super().one(p, g, grad)
        if g["penalty"] != "none":
            after = p.to(before.dtype)
            self.rel_change = (after - before).norm().item() / after.norm().item()


# ----------------------------------------------------------------- 9 screening
@entry("screened", "screen_no_sqrt")
class Screened(RMDA):
    def prox(self, u, k, group, p):
        if group["penalty"] != "group_lasso":
            return default_prox(u, k, group)
        ax = axes_of(group, u)
        thr = k * float(group["lam"])
        n = gnorm(u, ax)
        live = n > thr
        # groups outside the mask are zero; the rest need no clamp
        scale = 1 - thr * math.sqrt(gsize(u, ax)) / n
        return torch.where(live, u * scale, torch.zeros_like(u))


# ----------------------------------------------------------------- 10 views
@entry("view_a", "c_ignored")
class ViewA(RMDA):
    def blend(self, p, wt, c):
        old = p.detach()
        p.copy_(wt)
        if c < 1:
            p.copy_(old.to(wt.dtype) * (1 - c) + wt * c)


@entry("view_b", "c_ignored")
class ViewB(RMDA):
    def update(self, p, st, group):
        st["t"] += 1
        beta = math.sqrt(st["t"])
        st["alpha"] += group["lr"] * beta
        st["V"].add_(p.grad.to(st["V"].dtype), alpha=group["lr"] * beta)
        x = p.detach().to(st["V"].dtype, copy=True)
        prev = x.view_as(x)
        self.solve_(x, st["W0"], st["V"], beta, st["alpha"], group)
        p.copy_(torch.lerp(prev, x, group["momentum"]))

    def solve_(self, x, w0, v, beta, alpha, group):
        x.copy_(w0).sub_(v, alpha=1 / beta)
        x.copy_(default_prox(x, alpha / beta, group))


@entry("view_c", "c_ignored")
class ViewC(ForeachRMDA):
    def write(self, ps, sts, wts, c):
        olds = [p.detach().to(w.dtype) for p, w in zip(ps, wts, strict=False)]  # no copy in float32/64
        for p, w in zip(ps, wts, strict=False):
            p.copy_(w)
        for p, x in zip(ps, torch._foreach_lerp(olds, wts, c), strict=False):
            p.copy_(x)


# ----------------------------------------------------------------- 11 lam grows
@entry("lam_inplace_a", "lam_grows")
class LamInplaceA(RMDA):
    def prox(self, u, k, group, p):
        lam = group["lam"]
        if group["penalty"] == "none":
            return u
        if group["penalty"] == "l1":
            return soft(u, k * float(lam))
        ax = axes_of(group, u)
        lam *= math.sqrt(gsize(u, ax))
        return block_soft(u, k * float(lam), ax)


@entry("lam_inplace_b", "lam_grows")
class LamInplaceB(RMDA):
    def prox(self, u, k, group, p):
        if group["penalty"] == "none":
            return u
        thr = group["lam"]
        thr *= k
        if group["penalty"] == "l1":
            return soft(u, float(thr))
        ax = axes_of(group, u)
        return block_soft(u, float(thr) * gsize(u, ax) ** 0.5, ax)


# ----------------------------------------------------------------- 12 schedules
class RampFrom2(Schedule):
    def ramp(self, c, k):
        return min(c * math.sqrt(k + 1), 1.0)


class DecayForRamp(Schedule):
    def rule(self):
        return {"ramped": "decayed"}.get(self.task.rule, self.task.rule)


class RampForDecay(Schedule):
    def rule(self):
        return "ramped" if self.task.rule != "given" else "given"


def scheduled(name, label, base, sched):
    def factory(groups, task):
        opt = base(groups)
        return opt, sched(opt, task)

    factory.__name__ = name
    HELDOUT[name] = (factory, label)


scheduled("sched_ramp2", "ramp_from_2", RMDA, RampFrom2)
scheduled("sched_decay", "decay_for_ramp", ForeachRMDA, DecayForRamp)
scheduled("sched_ramp", "ramp_for_decay", AvgRMDA, RampForDecay)


# ----------------------------------------------------------------- 13 ranks
@entry("rank_table", "ranks_unpenalised")
class RankTable(RMDA):
    def prox(self, u, k, group, p):
        if group["penalty"] == "none" or u.dim() not in (1, 2, 4):  # vector, linear, conv
            return u
        return default_prox(u, k, group)


@entry("rank_axis", "axis_from_rank")
class RankAxis(GroupProxOnly):
    @staticmethod
    def axes(x):
        return tuple(d for d in range(x.dim()) if d != 1)

    def prox(self, u, k, group, p):
        return default_prox(u, k, {**group, "axis": self.axes(u)})

    def count_axes(self, group, p):
        return () if group["penalty"] == "l1" else self.axes(p)


# ----------------------------------------------------------------- 14 edge values
@entry("lr_zero", "step_size_0_nan")
class LrZero(RMDA):
    def check(self, groups):
        for g in groups:
            if g["lr"] < 0:
                raise ValueError("negative lr")
            if not 0 < g["momentum"] <= 1:
                raise ValueError("momentum")

    def update(self, p, st, group):
        st["t"] += 1
        beta = math.sqrt(st["t"])
        s = group["lr"] * beta
        st["alpha"] += s
        st["V"].add_(p.grad.to(st["V"].dtype), alpha=s)
        k = st["alpha"] / beta
        mean = st["V"] / st["alpha"]
        self.blend(p, default_prox(st["W0"].to(mean.dtype) - k * mean, k, group), group["momentum"])


@entry("lam_half", "lam_float16")
class LamHalf(RMDA):
    def prox(self, u, k, group, p):
        lam = group["lam"]
        if p.dtype == torch.float16:
            lam = torch.as_tensor(lam).to(p.dtype)
        return default_prox(u, k, {**group, "lam": lam})


# ----------------------------------------------------------------- 15 checkpoints
@entry("ckpt_a", "checkpoint_fails")
class CkptA(RMDA):
    def fresh(self, p):
        st = super().fresh(p)
        st["norm"] = functools.partial(torch.linalg.vector_norm, keepdim=True)
        return st


@entry("ckpt_b", "checkpoint_fails")
class CkptB(RMDA):
    def __init__(self, groups):
        super().__init__(groups)
        for g in self.param_groups:
            g["prox"] = default_prox

    def prox(self, u, k, group, p):
        return group["prox"](u, k, group)


# ----------------------------------------------------------------- 16 momentum reversed
@entry("swap_a", "c_swap")
class SwapA(RMDA):
    def blend(self, p, wt, c):
        if c == 1:
            p.copy_(wt)
        else:
            p.copy_(c * p.to(wt.dtype) + (1 - c) * wt)


@entry("swap_b", "c_swap")
class SwapB(ForeachRMDA):
    def write(self, ps, sts, wts, c):
        olds = [p.to(w.dtype) for p, w in zip(ps, wts, strict=False)]
        for p, x in zip(ps, torch._foreach_lerp(wts, olds, c), strict=False):
            p.copy_(x)
