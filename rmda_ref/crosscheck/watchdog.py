"""The user's code in a thread of its own, so that a call that hangs can be given up."""

import queue
import threading
from collections.abc import Callable
from typing import Any

from rmda_ref.crosscheck.candidate import Misbehaviour

_PATIENCE = 2.0  # seconds; after an interruption a call may still be under way


class Watchdog:
    """Calls one after the other in one daemon thread; after a call that hung, no other is taken.

    A thread cannot be stopped from outside: one that hangs is left behind, and ends with the process.
    """

    def __init__(self, timeout: float) -> None:
        self.timeout, self.hung = timeout, False
        self._calls: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._results: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, daemon=True, name="rmda-ref candidate")
        self._thread.start()

    def _work(self) -> None:
        while (job := self._calls.get()) is not None:
            function, arguments = job
            try:
                self._results.put((function(*arguments), None))
            except BaseException as error:  # SystemExit in the user's code is a finding too
                self._results.put((None, error))

    def call(self, what: str, function: Callable[..., Any], *arguments: Any) -> Any:
        """The result of the function; Misbehaviour "hang" if there is none in time."""
        self._calls.put((function, arguments))
        try:
            result, error = self._results.get(timeout=self.timeout)
        except queue.Empty:
            self.hung = True
            raise Misbehaviour("hang", f"{what} did not return within {self.timeout:g} s") from None
        if isinstance(error, SystemExit | KeyboardInterrupt):
            raise Misbehaviour("raises", f"{what} raised {type(error).__name__}") from error
        if error is not None:
            raise error
        return result

    def close(self) -> None:
        """End the thread, unless it hangs: frameworks do not like to be torn down at exit."""
        self._calls.put(None)
        if not self.hung:
            self._thread.join(timeout=_PATIENCE)
