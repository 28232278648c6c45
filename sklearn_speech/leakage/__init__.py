"""Check whether training clips share recordings, speakers or texts with test clips."""

from ._check_speaker_leakage import check_speaker_leakage
from ._leakage_report import LeakageReport

__all__ = ["LeakageReport", "check_speaker_leakage"]
