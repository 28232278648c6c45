"""A network whose runs end after some time."""

import threading
from typing import Any

#: What onnxruntime says of a run that was ended.
ENDED = "terminate flag"


class LimitedSession:
    """A session of onnxruntime whose runs are ended after some seconds.

    A run ends between two operators: one that has begun is finished.

    Parameters
    ----------
    session : onnxruntime.InferenceSession
    max_seconds : float
    """

    def __init__(self, session: Any, max_seconds: float) -> None:
        self._session = session
        self._max_seconds = max_seconds
        self.get_inputs = session.get_inputs
        self.get_outputs = session.get_outputs

    def run(self, names: list[str], inputs: dict[str, Any]) -> Any:
        """Outputs of one run; onnxruntime's error says "terminate flag" if it was ended."""
        import onnxruntime

        options = onnxruntime.RunOptions()
        timer = threading.Timer(self._max_seconds, setattr, (options, "terminate", True))
        timer.daemon = True
        timer.start()
        try:
            return self._session.run(names, inputs, options)
        finally:
            timer.cancel()
