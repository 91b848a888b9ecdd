"""RMDA in PyTorch as an engineer would write it: the positive control."""

import torch


class RMDA(torch.optim.Optimizer):
    """Parameter groups with penalty, lam, axis, lr, momentum. State: per parameter anchor, grad_sum, weight, t."""

    def __init__(self, groups):
        super().__init__(groups, {})
        for group in self.param_groups:
            if not group["lr"] > 0:
                raise ValueError(f"lr must be positive, got {group['lr']}")

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    self.move(p, group)
        return loss

    def move(self, p, group):
        state = self.clock(p, group)
        scale = state["t"] ** 0.5
        self.add(state, p.grad, group["lr"] * scale)
        centre = state["anchor"] - state["grad_sum"] / scale
        structured = self.prox(centre, state["weight"] / scale, group)
        self.mix(p, structured, group["momentum"])

    def clock(self, p, group):
        state = self.state[p]
        if not state:
            self.begin(state, p)
        state["t"] += 1
        state["weight"] += group["lr"] * state["t"] ** 0.5
        return state

    def begin(self, state, p):
        state.update(t=0, weight=0.0, anchor=p.detach().clone(), grad_sum=torch.zeros_like(p))

    def add(self, state, grad, weighted_step):
        state["grad_sum"].add_(grad, alpha=weighted_step)

    def prox(self, centre, strength, group):
        if group["penalty"] == "l1":
            return centre.sign() * (centre.abs() - strength * self.lam(group)).clamp(min=0)
        if group["penalty"] == "group_lasso":
            norm = torch.linalg.vector_norm(centre, dim=group["axis"], keepdim=True)
            return self.shrink(centre, norm, strength * self.lam(group) * (centre.numel() / norm.numel()) ** 0.5)
        return centre

    def lam(self, group):
        return float(group["lam"])

    def shrink(self, centre, norm, threshold):
        left = (norm - threshold).clamp(min=0)
        return centre * (left / (left + threshold).clamp(min=torch.finfo(norm.dtype).tiny)) if threshold > 0 else centre

    def mix(self, p, structured, momentum):
        p.mul_(1 - momentum).add_(structured, alpha=momentum)

    @torch.no_grad()
    def restart(self):
        for group in self.param_groups:
            for p in group["params"]:
                if self.state[p]:
                    self.begin(self.state[p], p)

    @torch.no_grad()
    def sparsity(self):
        zero, count = 0, 0
        for group in self.param_groups:
            for p in group["params"] if group["penalty"] != "none" else ():
                alive = self.alive(p, group)
                zero, count = zero + int((~alive).sum()), count + alive.numel()
        return zero / count

    def alive(self, p, group):
        return p != 0 if group["axis"] is None else torch.linalg.vector_norm(p, dim=group["axis"]) > 0


class Scheduler:
    """The stages of a task: step sizes times gamma, momentum by either rule, a restart before each new stage."""

    first = 1

    def __init__(self, optimizer, task):
        self.optimizer, self.task = optimizer, task
        self.taken = 0
        self.boundaries = task.restarts
        self.base = task.stages[0].step_size, task.stages[0].momentum
        self.set()

    def rule(self):
        return self.task.rule

    def set(self):
        step_size, momentum = self.base
        stage = sum(self.taken >= boundary for boundary in self.boundaries)
        if self.rule() == "given":
            here = self.task.stage(stage)
            k = self.taken - (0, *self.boundaries)[stage] + 1
            step_size, momentum = here.step_size(k), here.momentum(k)
        else:
            step_size *= self.task.gamma**stage
            if self.rule() == "decayed":
                momentum = min(momentum / self.task.gamma**stage, 1.0)
            elif stage == len(self.boundaries):
                k = self.taken - self.boundaries[-1] + self.first
                momentum = min(momentum * k**0.5, 1.0)
        for group in self.optimizer.param_groups:
            group["lr"], group["momentum"] = step_size, momentum

    def step(self):
        self.taken += 1
        if self.taken in self.boundaries:
            self.optimizer.restart()
        if self.taken < self.task.n_steps:
            self.set()

    def state_dict(self):
        return {"taken": self.taken}

    def load_state_dict(self, state):
        self.taken = state["taken"]
        self.set()


def make_optimizer(groups, task):
    return RMDA(groups)


def make_with_scheduler(groups, task):
    optimizer = RMDA(groups)
    return optimizer, Scheduler(optimizer, task)
