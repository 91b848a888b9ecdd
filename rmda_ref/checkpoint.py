"""States on disk: NumPy's npz without pickle, written atomically.

Only arrays and counters are stored, never code: hyper-parameters stay in the script that made them.
"""

import dataclasses
import inspect
import os
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np

from rmda_ref.algorithms import (
    GRDAState,
    MaskedState,
    MSGDState,
    ProxAdamState,
    ProxGenState,
    ProxSAGAState,
    ProxSGDState,
    ProxSVRGState,
    RAMDAState,
    RDAState,
    RMDAState,
)
from rmda_ref.namespace import on_host

State = (
    RMDAState
    | RAMDAState
    | RDAState
    | GRDAState
    | MSGDState
    | ProxSGDState
    | ProxAdamState
    | ProxGenState
    | ProxSVRGState
    | ProxSAGAState
    | MaskedState
)
STATES: dict[str, type[State]] = {kind.__name__: kind for kind in get_args(State)}
COUNTERS = {"weight": float, "t": int, "mask_t": int}
KIND = "state"  # the entry that names the class


def save_state(path: str | os.PathLike[str], state: State) -> None:
    """Write ``state`` to ``path`` (.npz), atomically: a crash in the middle leaves an older file whole.

    Parameters
    ----------
    path : the file, in a directory that exists
    state : with arrays of any namespace, which are copied to the host
    """
    path = Path(path)
    values = {field.name: getattr(state, field.name) for field in dataclasses.fields(state)}
    fields = {name: on_host(value) if hasattr(value, "shape") else value for name, value in values.items()}
    fields[KIND] = type(state).__name__
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, **fields)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def load_state(path: str | os.PathLike[str], asarray: Callable[[Any], Any] = np.asarray) -> Any:
    """The state that `save_state` wrote to ``path``; going on from it is bit for bit as if never stopped.

    Parameters
    ----------
    path : the file
    asarray : callable
        What makes arrays of the namespace, and on the device, where the state is to live: ``cupy.asarray``.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is truncated or holds no state.
    """
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as stored:
            kind: Callable[..., State] = STATES[str(stored[KIND])]
            arrays = {name: stored[name] for name in inspect.signature(kind).parameters}
    except (zipfile.BadZipFile, KeyError, ValueError, EOFError, AttributeError, TypeError) as error:
        raise ValueError(f"{path} holds no complete state ({error}); use a file written by save_state") from error
    return kind(**{name: COUNTERS.get(name, asarray)(value) for name, value in arrays.items()})
