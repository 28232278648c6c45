"""Words in long recordings and live streams, around any classifier of clips."""

from ._cross_validate_detection_by_speaker import (
    DetectionScores,
    cross_validate_detection_by_speaker,
)
from ._detection_stream import DetectionStream
from ._sliding_window import SlidingWindow

__all__ = [
    "DetectionScores",
    "DetectionStream",
    "SlidingWindow",
    "cross_validate_detection_by_speaker",
]
