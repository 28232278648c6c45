"""Phone error rate of the validation clips after each epoch."""

import math
from typing import Any, Self

from rapidfuzz.distance import Levenshtein
from skorch.callbacks import Callback

from ._decoding import greedy_decode


class ValidPhoneErrorRate(Callback):
    """Record ``valid_per``, the phone error rate of greedy decoding, and whether it is the best.

    It decodes the network outputs from which the validation loss was computed.
    """

    def initialize(self) -> Self:
        """Forget the best rate of an earlier fit."""
        self.best_ = math.inf
        return self

    def on_epoch_begin(
        self, net: Any, dataset_train: Any = None, dataset_valid: Any = None, **kwargs: Any
    ) -> None:
        """Set the counts to zero."""
        self.errors_ = self.phones_ = 0

    def on_batch_end(
        self,
        net: Any,
        batch: Any = None,
        training: bool = False,
        y_pred: Any = None,
        **kwargs: Any,
    ) -> None:
        """Count the errors and phones of a validation batch."""
        if training:
            return
        names = net.phones_.tolist()
        for row, phones in zip(y_pred.cpu().numpy(), batch[1]):
            found = [names[code - 1] for code in greedy_decode(row)]
            self.errors_ += Levenshtein.distance(found, phones)
            self.phones_ += len(phones)

    def on_epoch_end(
        self, net: Any, dataset_train: Any = None, dataset_valid: Any = None, **kwargs: Any
    ) -> None:
        """Record the rate, unless the validation clips have no phones."""
        if self.phones_:
            rate = self.errors_ / self.phones_
            net.history.record("valid_per", rate)
            net.history.record("valid_per_best", rate < self.best_)
            self.best_ = min(self.best_, rate)
