"""Does a split let a model hear its test clips, or its test speakers, in training?"""

from ._check_speaker_leakage import check_speaker_leakage
from ._leakage_report import LeakageReport

__all__ = ["LeakageReport", "check_speaker_leakage"]
