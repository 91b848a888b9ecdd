"""Held-out controls: the registry of broken ones, each with the label of its author; four labels are ours."""

HELDOUT = {}


def entry(name, label):
    def deco(cls):
        def factory(groups, task):
            return cls(groups)

        factory.__name__ = name
        assert name not in HELDOUT
        HELDOUT[name] = (factory, label)
        return cls

    return deco


# Their author called these "clock_runs", "c_swap", "unknown" and "unknown". The first moves an idle tensor just as a
# gradient of zeros would, the second spares c = 1, and the others are in our list.
RELABELLED = {
    "clock_runs_a": "none_is_zero",
    "swap_a": "c_swap_below_1",
    "unknown_order": "prox_after_mixing+c_ignored",
    "unknown_anchor": "restart_at_prox",
}
