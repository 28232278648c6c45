"""Phone sets and errors of phone recognition."""

from ._phone_confusion_matrix import phone_confusion_matrix
from ._phone_error_rate import phone_error_rate, phone_error_rate_scorer
from ._phone_errors import phone_errors
from ._phone_sets import TIMIT_PHONES, fold_phones

__all__ = [
    "TIMIT_PHONES",
    "fold_phones",
    "phone_confusion_matrix",
    "phone_error_rate",
    "phone_error_rate_scorer",
    "phone_errors",
]
