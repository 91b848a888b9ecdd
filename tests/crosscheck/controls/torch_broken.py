"""One broken optimizer for each mistake found in public code: the negative controls.

Each is the positive control with the mistake made as an engineer would make it in PyTorch, not as an edit of the
reference. ``BROKEN`` gives the factory, the number of the mistake, and the name that the cross-check should find.
"""

import math

import torch
from torch_rmda import RMDA, Scheduler, make_with_scheduler


class ClockOutsideLoop(RMDA):
    """1: time and weight are kept per group and advanced after the loop over groups."""

    @torch.no_grad()
    def step(self, closure=None):
        if closure is not None:
            closure()
        for group in self.param_groups:
            t = group.setdefault("iteration", 0) + 1
            weighted = group["lr"] * t**0.5
            weight = group.setdefault("accum", 0.0) + weighted
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    self.begin(state, p)
                self.add(state, p.grad, weighted)
                structured = self.prox(state["anchor"] - state["grad_sum"] / t**0.5, weight / t**0.5, group)
                self.mix(p, structured, group["momentum"])
        group["iteration"] = t
        group["accum"] = weight

    @torch.no_grad()
    def restart(self):
        super().restart()
        for group in self.param_groups:
            group["iteration"], group["accum"] = 0, 0.0


class ClockPerGroup(RMDA):
    """2: time and weight per group, gradient sums per tensor."""

    @torch.no_grad()
    def step(self, closure=None):
        if closure is not None:
            closure()
        for group in self.param_groups:
            t = group["iteration"] = group.get("iteration", 0) + 1
            group["accum"] = group.get("accum", 0.0) + group["lr"] * t**0.5
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    self.begin(state, p)
                self.add(state, p.grad, group["lr"] * t**0.5)
                structured = self.prox(state["anchor"] - state["grad_sum"] / t**0.5, group["accum"] / t**0.5, group)
                self.mix(p, structured, group["momentum"])

    @torch.no_grad()
    def restart(self):
        super().restart()
        for group in self.param_groups:
            group["iteration"], group["accum"] = 0, 0.0


class NanOnZeroGroup(RMDA):
    """3: relu(norm - threshold)/(relu(norm - threshold) + threshold)."""

    def shrink(self, centre, norm, threshold):
        left = (norm - threshold).clamp(min=0)
        return centre * (left / (left + threshold))


class RestartNeedsState(RMDA):
    """4: a KeyError for a parameter that never had a gradient."""

    @torch.no_grad()
    def restart(self):
        for group in self.param_groups:
            for p in group["params"]:
                self.state[p]["anchor"].copy_(p)
                self.state[p]["grad_sum"].zero_()
                self.state[p]["t"], self.state[p]["weight"] = 0, 0.0


class MatrixNorm(RMDA):
    """5: torch.linalg.norm takes one axis or two."""

    def prox(self, centre, strength, group):
        if group["penalty"] != "group_lasso":
            return super().prox(centre, strength, group)
        axis = group["axis"] if len(group["axis"]) > 1 else group["axis"][0]
        if len(group["axis"]) == 2:
            norm = torch.linalg.norm(centre, ord="fro", dim=axis, keepdim=True)
        else:
            norm = torch.linalg.norm(centre, dim=axis, keepdim=True)
        return self.shrink(centre, norm, strength * self.lam(group) * (centre.numel() / norm.numel()) ** 0.5)


class StateInThreeAxes(RMDA):
    """5: images are flattened to three axes, and the restart forgets it."""

    def begin(self, state, p):
        flat = p.detach().reshape(*p.shape[:2], -1) if p.ndim == 4 else p.detach()
        state.update(t=0, weight=0.0, anchor=flat.clone(), grad_sum=torch.zeros_like(flat))

    def add(self, state, grad, weighted_step):
        state["grad_sum"].add_(grad.reshape(state["grad_sum"].shape), alpha=weighted_step)

    def prox(self, centre, strength, group):
        if centre.ndim == 3 and group["axis"] is not None and len(group["axis"]) == 3:
            group = {**group, "axis": tuple(a for a in group["axis"] if a < 3)}
        return super().prox(centre, strength, group)

    def mix(self, p, structured, momentum):
        super().mix(p, structured.reshape(p.shape), momentum)

    @torch.no_grad()
    def restart(self):
        for group in self.param_groups:
            for p in group["params"]:
                if self.state[p]:
                    self.state[p]["anchor"].copy_(p)
                    self.state[p]["grad_sum"].zero_()
                    self.state[p]["t"], self.state[p]["weight"] = 0, 0.0


class SparsityPerKernel(RMDA):
    """6: a channel is a group, and kernels are counted."""

    def alive(self, p, group):
        return torch.count_nonzero(p, dim=(2, 3)) > 0 if p.ndim == 4 else super().alive(p, group)


class SparsityForcedToZero(RMDA):
    """6: no strength, no sparsity."""

    def sparsity(self):
        return super().sparsity() if any(float(group["lam"]) > 0 for group in self.param_groups) else 0.0


class InexactProx(RMDA):
    """7: proximal gradient steps, stopped by an objective that counts the smooth part once a group."""

    def shrink(self, centre, norm, threshold):
        if not threshold > 0:
            return centre
        y, last = centre.clone(), math.inf
        axes = [axis for axis in range(centre.ndim) if norm.shape[axis] == 1]
        for _ in range(100):
            y = y - 0.5 * (y - centre)
            size = torch.linalg.vector_norm(y, dim=axes, keepdim=True)
            y = y * (1 - 0.5 * threshold / size.clamp(min=torch.finfo(y.dtype).tiny)).clamp(min=0)
            size = torch.linalg.vector_norm(y, dim=axes, keepdim=True)
            objective = float((0.5 * (y - centre).square().sum() + threshold * size).sum())
            if abs(last - objective) <= 1e-3 * abs(objective):
                break
            last = objective
        return y


class EmptyLayerCrashes(RMDA):
    """8: the largest of no groups."""

    def shrink(self, centre, norm, threshold):
        active = norm[norm > threshold]
        active.max()  # an error if there is none
        return super().shrink(centre, norm, threshold)


class ScreenWithoutSqrt(RMDA):
    """9: the mask of active groups lacks sqrt(group size), so the factor of some that are kept is negative."""

    def shrink(self, centre, norm, threshold):
        if not threshold > 0:
            return centre
        mask = norm > threshold / (centre.numel() / norm.numel()) ** 0.5
        return torch.where(mask, centre * (1 - threshold / norm), torch.zeros_like(centre))


class ViewIsMutated(RMDA):
    """10: the structured point is written into a view of the parameter before the average is taken."""

    def mix(self, p, structured, momentum):
        p.view(-1).copy_(structured.reshape(-1))  # the solver works in place
        super().mix(p, structured, momentum)


class StrengthGrows(RMDA):
    """11: lambda_ *= sqrt(size), in place where lambda_ is a tensor."""

    def prox(self, centre, strength, group):
        if group["penalty"] != "group_lasso":
            return super().prox(centre, strength, group)
        norm = torch.linalg.vector_norm(centre, dim=group["axis"], keepdim=True)
        lambda_ = group["lam"]
        lambda_ *= (centre.numel() / norm.numel()) ** 0.5
        return self.shrink(centre, norm, strength * float(lambda_))


class RampFromTwo(Scheduler):
    """12: the counter of the ramp is advanced before its first use."""

    first = 2


class DecayedOnly(Scheduler):
    """12: the rule of the other release."""

    def rule(self):
        return "decayed" if self.task.rule == "ramped" else self.task.rule


class RampedOnly(Scheduler):
    """12: and the other way round."""

    def rule(self):
        return "ramped" if self.task.rule == "decayed" else self.task.rule


class OnlyTwoAndFourAxes(RMDA):
    """13: what is no matrix and no image goes unpenalised."""

    def prox(self, centre, strength, group):
        return centre if centre.ndim in (3, 5) else super().prox(centre, strength, group)


class AxisFromRank(RMDA):
    """13: channels are always axis 1."""

    def prox(self, centre, strength, group):
        if group["axis"] is not None:
            group = {**group, "axis": tuple(axis for axis in range(centre.ndim) if axis != 1)}
        return super().prox(centre, strength, group)


class OtherAxes(RMDA):
    """13: dim taken for the axis that is kept."""

    def prox(self, centre, strength, group):
        if group["axis"] is not None:
            group = {**group, "axis": tuple(axis for axis in range(centre.ndim) if axis not in group["axis"])}
        return super().prox(centre, strength, group)


class AcceptsStepSizeZero(NanOnZeroGroup):
    """14: lr = 0 passes the constructor, and the threshold 0 meets a zero group; a strength of 0 is skipped."""

    def __init__(self, groups):
        torch.optim.Optimizer.__init__(self, groups, {})

    def prox(self, centre, strength, group):
        return centre if self.lam(group) == 0 else super().prox(centre, strength, group)


class HalfStrength(RMDA):
    """14: strengths in the dtype of the parameter."""

    def prox(self, centre, strength, group):
        group = {**group, "lam": torch.tensor(float(group["lam"]), dtype=centre.dtype)}
        return super().prox(centre, strength, group)


class FunctionInState(RMDA):
    """15: a function among the state."""

    def begin(self, state, p):
        super().begin(state, p)
        state["prox_fn"] = lambda x: x


class MomentumReversed(RMDA):
    """16: the momentum is the weight of the old point."""

    def mix(self, p, structured, momentum):
        super().mix(p, structured, 1 - momentum)


def _factory(kind):
    return lambda groups, task: kind(groups)


make_clock_outside_loop = _factory(ClockOutsideLoop)


def _scheduled(kind):
    def make(groups, task):
        optimizer, _ = make_with_scheduler(groups, task)
        return optimizer, kind(optimizer, task)

    return make


BROKEN = {
    "clock outside the loop": (_factory(ClockOutsideLoop), 1, "clock_last_group"),
    "clock per group": (_factory(ClockPerGroup), 2, "clock_runs"),
    "NaN on a zero group": (_factory(NanOnZeroGroup), 3, "zero_group_nan"),
    "restart needs a state": (_factory(RestartNeedsState), 4, "restart_needs_gradient"),
    "norm over three axes": (_factory(MatrixNorm), 5, "norm_three_axes"),
    "state in three axes": (_factory(StateInThreeAxes), 5, "state_other_shape"),
    "sparsity per kernel": (_factory(SparsityPerKernel), 6, "sparsity_per_kernel"),
    "sparsity forced to 0": (_factory(SparsityForcedToZero), 6, "sparsity_forced_0"),
    "inexact prox": (_factory(InexactProx), 7, "prox_inexact"),
    "crash on an empty layer": (_factory(EmptyLayerCrashes), 8, "zero_layer_crash"),
    "screen without sqrt": (_factory(ScreenWithoutSqrt), 9, "screen_no_sqrt"),
    "view mutated": (_factory(ViewIsMutated), 10, "c_ignored"),
    "strength grows": (_factory(StrengthGrows), 11, "lam_grows"),
    "ramp from 2": (_scheduled(RampFromTwo), 12, "ramp_from_2"),
    "decay for ramp": (_scheduled(DecayedOnly), 12, "decay_for_ramp"),
    "ramp for decay": (_scheduled(RampedOnly), 12, "ramp_for_decay"),
    "3 and 5 axes unpenalised": (_factory(OnlyTwoAndFourAxes), 13, "ranks_unpenalised"),
    "axis from rank": (_factory(AxisFromRank), 13, "axis_from_rank"),
    "other axes": (_factory(OtherAxes), 13, "axis_complement"),
    "step size 0 accepted": (_factory(AcceptsStepSizeZero), 14, "step_size_0_nan"),
    "strength in float16": (_factory(HalfStrength), 14, "lam_float16"),
    "function in the state": (_factory(FunctionInState), 15, "checkpoint_fails"),
    "momentum reversed": (_factory(MomentumReversed), 16, "c_swap"),
}
