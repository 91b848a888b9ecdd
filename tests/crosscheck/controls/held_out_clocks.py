"""Held-out controls: clocks, zero groups, shapes, sparsity, an inexact prox."""

import math

import torch
from held_out_registry import entry
from held_out_sound import RMDA, Common, ForeachRMDA, axes_of, default_prox, gnorm, gsize, wide


# ----------------------------------------------------------------- 1 clock of the last group only
@entry("clock_last_a", "clock_last_group")
class ClockLastA(ForeachRMDA):
    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            ps, sts = self.collect(group)
            betas = [math.sqrt(st["clock"] + 1) for st in sts]
            steps = [group["lr"] * b for b in betas]
            wts = []
            for p, st, b, s in zip(ps, sts, betas, steps, strict=False):
                st["gsum"].add_(p.grad.to(st["gsum"].dtype), alpha=s)
                wts.append(default_prox(st["origin"] - st["gsum"] / b, (st["mass"] + s) / b, group))
            if ps:
                self.write(ps, sts, wts, group["momentum"])
        # book-keeping, once per step
        for st, s in zip(sts, steps, strict=False):
            st["clock"] += 1
            st["mass"] += s
        return loss


@entry("clock_last_b", "clock_last_group")
class ClockLastB(Common):
    def __init__(self, groups):
        super().__init__(groups)
        for g in self.param_groups:
            g["clocks"] = [0] * len(g["params"])
            g["alphas"] = [0.0] * len(g["params"])

    @torch.no_grad()
    def step(self, closure=None):
        loss = closure and torch.enable_grad()(closure)()
        for g in self.param_groups:
            clocks, alphas = list(g["clocks"]), list(g["alphas"])
            for i, p in enumerate(g["params"]):
                if p.grad is None:
                    continue
                st = self.state[p]
                if "dual" not in st:
                    st["dual"] = torch.zeros_like(p, dtype=wide(p.dtype))
                    st["w0"] = p.detach().clone()
                clocks[i] += 1
                beta = clocks[i] ** 0.5
                alphas[i] += g["lr"] * beta
                st["dual"] += g["lr"] * beta * p.grad.to(st["dual"].dtype)
                wt = default_prox(st["w0"].to(st["dual"].dtype) - st["dual"] / beta, alphas[i] / beta, g)
                p.copy_(p.to(wt.dtype) * (1 - g["momentum"]) + wt * g["momentum"])
        g["clocks"], g["alphas"] = clocks, alphas
        return loss

    @torch.no_grad()
    def restart(self):
        for g in self.param_groups:
            g["clocks"] = [0] * len(g["params"])
            g["alphas"] = [0.0] * len(g["params"])
            for p in g["params"]:
                if self.state.get(p):
                    self.state[p]["dual"].zero_()
                    self.state[p]["w0"].copy_(p)


# ----------------------------------------------------------------- 2 group clock, tensor sums
@entry("clock_runs_a", "clock_runs")
class ClockRunsA(Common):
    """All state set up front; idle tensors still go through the prox."""

    def __init__(self, groups):
        super().__init__(groups)
        for g in self.param_groups:
            g["time"], g["weight"] = 0, 0.0

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for g in self.param_groups:
            g["time"] += 1
            beta = math.sqrt(g["time"])
            g["weight"] += g["lr"] * beta
            for p in g["params"]:
                st = self.state[p]
                if not st:
                    st["sum"] = torch.zeros_like(p, dtype=wide(p.dtype))
                    st["w0"] = p.detach().clone()
                if p.grad is not None:
                    st["sum"].add_(p.grad.to(st["sum"].dtype), alpha=g["lr"] * beta)
                wt = default_prox(
                    torch.add(st["w0"].to(st["sum"].dtype), st["sum"], alpha=-1 / beta), g["weight"] / beta, g
                )
                p.copy_(torch.lerp(p.to(wt.dtype), wt, g["momentum"]))
        return loss

    @torch.no_grad()
    def restart(self):
        for g in self.param_groups:
            g["time"], g["weight"] = 0, 0.0
            for p in g["params"]:
                if self.state.get(p):
                    self.state[p]["sum"].zero_()
                    self.state[p]["w0"].copy_(p)


@entry("clock_runs_b", "clock_runs")
class ClockRunsB(RMDA):
    """Idle tensors are skipped, but time and weight belong to the group."""

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            group["t"] = t = group.get("t", 0) + 1
            beta = math.sqrt(t)
            group["alpha"] = group.get("alpha", 0.0) + group["lr"] * beta
            for p in group["params"]:
                if p.grad is None:
                    continue
                st = self.state[p]
                if not st:
                    st.update(self.fresh(p))
                st["V"].add_(p.grad.to(st["V"].dtype), alpha=group["lr"] * beta)
                u = st["W0"].to(st["V"].dtype) - st["V"] / beta
                self.blend(p, default_prox(u, group["alpha"] / beta, group), group["momentum"])
        return loss

    def restart(self):
        super().restart()
        for group in self.param_groups:
            group["t"], group["alpha"] = 0, 0.0


# ----------------------------------------------------------------- 3 zero over zero
class GroupProxOnly(RMDA):
    """Subclasses give `block(u, thr, ax)`."""

    def prox(self, u, k, group, p):
        if group["penalty"] != "group_lasso":
            return default_prox(u, k, group)
        ax = axes_of(group, u)
        return self.block(u, k * float(group["lam"]) * math.sqrt(gsize(u, ax)), ax)


@entry("nan_a", "zero_group_nan")
class NanA(GroupProxOnly):
    def block(self, u, thr, ax):
        return u * (1 - thr / gnorm(u, ax)).clamp(min=0)


@entry("nan_b", "zero_group_nan")
class NanB(GroupProxOnly):
    def block(self, u, thr, ax):
        n = gnorm(u, ax)
        return torch.relu(n - thr) / n.clamp(min=thr) * u


@entry("nan_c", "zero_group_nan")
class NanC(GroupProxOnly):
    def block(self, u, thr, ax):
        # Moreau: take off the projection on the dual ball
        r = gnorm(u, ax).reciprocal_().mul_(thr)
        return u - u * torch.minimum(r, torch.ones_like(r))


# ----------------------------------------------------------------- 4, 5
@entry("restart_keyerror", "restart_needs_gradient")
class RestartKey(RMDA):
    @torch.no_grad()
    def restart(self):
        for group in self.param_groups:
            for p in group["params"]:
                st = self.state[p]
                st["V"].zero_()
                st["W0"].copy_(p)
                st["alpha"], st["t"] = 0.0, 0


@entry("norm_linalg", "norm_three_axes")
class NormThree(GroupProxOnly):
    def block(self, u, thr, ax):
        n = torch.linalg.norm(u, dim=ax, keepdim=True) if ax else u.abs()
        return u * torch.where(n > thr, 1 - thr / n, 0.0)


@entry("flat_kernels", "state_other_shape")
class FlatKernels(RMDA):
    @staticmethod
    def pack(x):
        return x.flatten(2) if x.dim() == 4 else x

    def fresh(self, p):
        w = self.pack(p.detach()).to(wide(p.dtype)).clone()
        return {"t": 0, "alpha": 0.0, "V": torch.zeros_like(w), "W0": w}

    def update(self, p, st, group):
        st["t"] += 1
        beta = math.sqrt(st["t"])
        s = group["lr"] * beta
        st["alpha"] += s
        st["V"].add_(self.pack(p.grad).to(st["V"].dtype), alpha=s)
        u = (st["W0"] - st["V"] / beta).reshape(p.shape)
        self.blend(p, default_prox(u, st["alpha"] / beta, group), group["momentum"])


# ----------------------------------------------------------------- 6 sparsity
@entry("sparsity_kernels", "sparsity_per_kernel")
class SparsityKernels(RMDA):
    def count_axes(self, group, p):
        if group["penalty"] == "group_lasso" and p.dim() == 4:
            return (2, 3)
        return super().count_axes(group, p)


@entry("sparsity_lam0", "sparsity_forced_0")
class SparsityLam0(ForeachRMDA):
    @torch.no_grad()
    def sparsity(self):
        zeros, total = 0, 0
        for g in self.param_groups:
            if g["penalty"] == "none":
                continue
            for p in g["params"]:
                ax = self.count_axes(g, p)
                n = gnorm(p.to(wide(p.dtype)), ax)
                total += n.numel()
                if float(g["lam"]) > 0:
                    zeros += (n == 0).sum().item()
        return zeros / max(total, 1)


# ----------------------------------------------------------------- 7 inexact prox
@entry("dual_iterations", "prox_inexact")
class DualIterations(GroupProxOnly):
    tol, max_iter = 1e-4, 100

    def block(self, u, thr, ax):
        # projected gradient on the dual: min ||u - y||^2 with ||y_g|| <= thr
        y = torch.zeros_like(u)
        for _ in range(self.max_iter):
            z = y + 0.6 * (u - y)
            n = gnorm(z, ax)
            z = z * torch.where(n > thr, thr / n.clamp(min=1e-30), torch.ones_like(n))
            gap = (z - y).norm()
            y = z
            if gap <= self.tol * u.norm():
                break
        return u - y
