"""Phone sets and errors of phone recognition; events in recordings, misses and false alarms."""

from ._detection_curve import detection_curve, miss_rate_at
from ._event_table import EventTable
from ._match_events import match_events
from ._phone_confusion_matrix import phone_confusion_matrix
from ._phone_error_rate import phone_error_rate, phone_error_rate_scorer
from ._phone_errors import phone_errors
from ._phone_sets import TIMIT_PHONES, fold_phones

__all__ = [  # noqa: RUF022 - plain order, which the tests check
    "EventTable",
    "TIMIT_PHONES",
    "detection_curve",
    "fold_phones",
    "match_events",
    "miss_rate_at",
    "phone_confusion_matrix",
    "phone_error_rate",
    "phone_error_rate_scorer",
    "phone_errors",
]
