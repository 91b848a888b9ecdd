"""A program behind the process protocol, in Python: correct, or misbehaving as its argument says."""

import json
import sys
import time

import numpy as np
from function_rmda import Step

from rmda_ref.crosscheck.task import Parameter


class Told:
    """What the program was told of a task, as the function control wants it."""

    def __init__(self, message, stage=0):
        self.parameters = [
            Parameter(p["name"], tuple(p["shape"]), p["penalty"], p["lam"], p["axis"] and tuple(p["axis"]))
            for p in message["parameters"]
        ]
        self.message, self.number = message, stage

    def step_size(self, t):
        return self.message["stages"][self.number]["step_sizes"][t - 1]

    def momentum(self, t):
        return self.message["stages"][self.number]["momenta"][t - 1]

    def following(self):
        return Told(self.message, self.number + 1)


def main(how):
    for line in sys.stdin:
        message = json.loads(line)
        answer = {}
        match message["op"]:
            case "hello":
                answer = {"dtypes": ["float64"], "features": ["restart", "absent gradients", "checkpoint", "sparsity"]}
            case "begin":
                step = Step(Told(message))
                params = {p["name"]: np.array(p["start"]) for p in message["parameters"]}
            case "restart":
                step.restart(step.task.following())
            case "save":
                answer = {"state": [{k: [np.asarray(x).tolist() for x in v] for k, v in step.state.items()},
                                    {k: v.tolist() for k, v in params.items()}]}  # fmt: skip
            case "load":
                state, saved = message["state"]
                step.state = {k: (np.array(a), np.array(v), w, t) for k, (a, v, w, t) in state.items()}
                params = {k: np.array(v) for k, v in saved.items()}
            case "sparsity":
                answer = {"sparsity": step.sparsity(params)}
            case "step":
                grads = {k: None if g is None else np.array(g) for k, g in message["grads"].items()}
                params = step(params, grads)
                answer = {"params": {k: v.tolist() for k, v in params.items()}}
                if how == "garbage":
                    print("loss: 0.3", flush=True)
                    continue
                if how == "list":
                    answer = [1, 2]
                if how == "ends":
                    sys.exit(5)
                if how == "error":
                    answer = {"error": "out of memory"}
                if how == "hang":
                    time.sleep(3600)
                if how == "words":
                    answer["params"] = dict.fromkeys(params, "zero")
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "correct")
