"""Held-out controls: the lines of the step and of the restart, pairs of mistakes, mistakes in no list."""

import math

import torch
from held_out_registry import entry
from held_out_sound import (
    RMDA,
    AvgRMDA,
    Common,
    ForeachRMDA,
    axes_of,
    block_soft,
    default_prox,
    gnorm,
    gsize,
    soft,
    wide,
)


# ----------------------------------------------------------------- further, one each
@entry("beta_one", "beta1")
class BetaOne(AvgRMDA):
    def one(self, p, g, grad):
        st = self.begin(p)
        st["n"] += 1
        st["a"] += g["lr"]
        st["mean"].lerp_(grad.to(st["mean"].dtype), g["lr"] / st["a"])
        wt = default_prox(st["start"] - st["a"] * st["mean"], st["a"], g)
        p.copy_(torch.lerp(p.to(wt.dtype), wt, g["momentum"]))


@entry("plain_s", "s_eta")
class PlainS(RMDA):
    def update(self, p, st, group):
        st["t"] += 1
        beta, s = math.sqrt(st["t"]), group["lr"]
        st["alpha"] += s
        st["V"].add_(p.grad.to(st["V"].dtype), alpha=s)
        u = st["W0"].to(st["V"].dtype) - st["V"] / beta
        self.blend(p, default_prox(u, st["alpha"] / beta, group), group["momentum"])


@entry("next_beta", "beta_next")
class NextBeta(RMDA):
    def update(self, p, st, group):
        st["t"] += 1
        beta = (st["t"] + 1) ** 0.5
        s = group["lr"] * beta
        st["alpha"] += s
        st["V"].add_(p.grad.to(st["V"].dtype), alpha=s)
        u = st["W0"].to(st["V"].dtype) - st["V"] / beta
        self.blend(p, default_prox(u, st["alpha"] / beta, group), group["momentum"])


@entry("late_alpha", "alpha_prev")
class LateAlpha(RMDA):
    def update(self, p, st, group):
        st["t"] += 1
        beta = math.sqrt(st["t"])
        s = group["lr"] * beta
        st["V"].add_(p.grad.to(st["V"].dtype), alpha=s)
        wt = default_prox(st["W0"].to(st["V"].dtype) - st["V"] / beta, st["alpha"] / beta, group)
        st["alpha"] += s
        self.blend(p, wt, group["momentum"])


@entry("moving_centre", "center_prev")
class MovingCentre(RMDA):
    def update(self, p, st, group):
        st["t"] += 1
        beta = math.sqrt(st["t"])
        s = group["lr"] * beta
        st["alpha"] += s
        st["V"].add_(p.grad.to(st["V"].dtype), alpha=s)
        u = p.to(st["V"].dtype) - st["V"] / beta
        self.blend(p, default_prox(u, st["alpha"] / beta, group), group["momentum"])


@entry("strength_alpha", "thr_alpha")
class StrengthAlpha(RMDA):
    def prox(self, u, k, group, p):
        return default_prox(u, self.state[p]["alpha"], group)


@entry("strength_lr", "thr_eta")
class StrengthLr(RMDA):
    def prox(self, u, k, group, p):
        return default_prox(u, group["lr"], group)


@entry("average_origin", "c_late")
class AverageOrigin(ForeachRMDA):
    def write(self, ps, sts, wts, c):
        for p, x in zip(ps, torch._foreach_lerp([st["origin"] for st in sts], wts, c), strict=False):
            p.copy_(x)


@entry("old_c", "c_prev")
class OldC(ForeachRMDA):
    def group_step(self, group):
        current = group["momentum"]
        group["momentum"] = group.get("cached_c", current)
        super().group_step(group)
        group["momentum"] = group["cached_c"] = current


@entry("keep_V", "norst_V")
class KeepV(RMDA):
    def reset(self, p, st):
        st["W0"].copy_(p)
        st["alpha"], st["t"] = 0.0, 0


@entry("keep_anchor", "norst_anchor")
class KeepAnchor(ForeachRMDA):
    def restart(self):
        for st in self.state.values():
            if st:
                st["gsum"].zero_()
                st.update(clock=0, mass=0.0)


@entry("keep_alpha", "norst_alpha")
class KeepAlpha(RMDA):
    def reset(self, p, st):
        st["W0"] = p.detach().clone()
        st["V"] = torch.zeros_like(st["V"])
        st["t"] = 0


@entry("keep_t", "norst_t")
class KeepT(AvgRMDA):
    def restart(self):
        clocks = {p: st["n"] for p, st in self.state.items() if st}
        super().restart()
        for p, n in clocks.items():
            self.state[p]["n"] = n


@entry("decay", "weight_decay")
class Decay(AvgRMDA):
    def one(self, p, g, grad):
        super().one(p, g, grad.to(wide(p.dtype)).add(p.to(wide(p.dtype)), alpha=0.01))


@entry("plain_norm", "no_sqrt_size")
class PlainNorm(RMDA):
    def prox(self, u, k, group, p):
        if group["penalty"] != "group_lasso":
            return default_prox(u, k, group)
        return block_soft(u, k * float(group["lam"]), axes_of(group, u))


@entry("bias_too", "bias_penalised")
class BiasToo(RMDA):
    def prox(self, u, k, group, p):
        if group["penalty"] == "none":
            lam = max([float(g["lam"]) for g in self.param_groups if g["penalty"] != "none"], default=0.0)
            return soft(u, k * lam)
        return default_prox(u, k, group)


@entry("zero_grad", "none_is_zero")
class ZeroGrad(AvgRMDA):
    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for g in self.param_groups:
            for p in g["params"]:
                self.one(p, g, torch.zeros_like(p) if p.grad is None else p.grad)
        return loss


# ----------------------------------------------------------------- two at once
@entry("two_a", "beta_next+norst_alpha")
class TwoA(NextBeta):
    def reset(self, p, st):
        st["W0"].copy_(p)
        st["V"].zero_()
        st["t"] = 0


@entry("two_b", "norst_V+weight_decay")
class TwoB(Common):
    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for g in self.param_groups:
            lr, c = g["lr"], g["momentum"]
            for p in filter(lambda q: q.grad is not None, g["params"]):
                st = self.state[p]
                dt = wide(p.dtype)
                if not st:
                    st["t"], st["alpha"] = 0, 0.0
                    st["anchor"], st["acc"] = p.clone().to(dt), torch.zeros_like(p, dtype=dt)
                w = p.to(dt)
                d = p.grad.to(dt) + 0.01 * w
                st["t"] += 1
                b = math.sqrt(st["t"])
                st["alpha"] += lr * b
                st["acc"].add_(d, alpha=lr * b)
                wt = default_prox(
                    torch.addcdiv(st["anchor"], st["acc"], torch.full_like(w, b), value=-1), st["alpha"] / b, g
                )
                p.copy_(w.lerp(wt, c))
        return loss

    @torch.no_grad()
    def restart(self):
        for p, st in self.state.items():
            if st:
                st["anchor"] = p.clone().to(st["acc"].dtype)
                st["t"], st["alpha"] = 0, 0.0


@entry("two_c", "alpha_prev+c_late")
class TwoC(RMDA):
    def update(self, p, st, group):
        st["t"] += 1
        beta = math.sqrt(st["t"])
        s, c = group["lr"] * beta, group["momentum"]
        st["V"].add_(p.grad.to(st["V"].dtype), alpha=s)
        w0 = st["W0"].to(st["V"].dtype)
        wt = default_prox(w0 - st["V"] / beta, st["alpha"] / beta, group)
        p.copy_((1 - c) * w0 + c * wt)
        st["alpha"] += s


@entry("two_d", "no_sqrt_size+norst_anchor")
class TwoD(PlainNorm):
    def reset(self, p, st):
        st["V"].zero_()
        st["alpha"] = 0.0
        st["t"] = 0


# ----------------------------------------------------------------- in no list
@entry("unknown_hard", "unknown")
class UnknownHard(RMDA):
    """Hard instead of soft thresholding: survivors are not shrunk."""

    def prox(self, u, k, group, p):
        if group["penalty"] == "none":
            return u
        ax = self.count_axes(group, u)
        return u * (gnorm(u, ax) > k * float(group["lam"]) * math.sqrt(gsize(u, ax)))


@entry("unknown_order", "unknown")
class UnknownOrder(RMDA):
    """Averages first and applies the prox to the average."""

    def update(self, p, st, group):
        st["t"] += 1
        beta, c = math.sqrt(st["t"]), group["momentum"]
        st["alpha"] += group["lr"] * beta
        st["V"].add_(p.grad.to(st["V"].dtype), alpha=group["lr"] * beta)
        u = st["W0"].to(st["V"].dtype) - st["V"] / beta
        p.copy_(default_prox(torch.lerp(p.to(u.dtype), u, c), st["alpha"] / beta, group))


@entry("unknown_anchor", "unknown")
class UnknownAnchor(RMDA):
    """A restart takes the last prox point, not the averaged weights, as its start."""

    def blend(self, p, wt, c):
        self.state[p]["last"] = wt.clone()
        super().blend(p, wt, c)

    def reset(self, p, st):
        super().reset(p, st)
        st["W0"].copy_(st["last"])
