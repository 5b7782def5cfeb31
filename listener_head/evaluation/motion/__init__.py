"""What can be said of a listener's motion without a true listener to compare it with."""

from listener_head.evaluation.motion.bootstrap import Interval, bootstrap
from listener_head.evaluation.motion.responsiveness import responsiveness
from listener_head.evaluation.motion.separability import separability
from listener_head.evaluation.motion.statistics import Statistic, statistics
from listener_head.evaluation.motion.waiting import latency
from listener_head.evaluation.motion.windows import windows

__all__ = [
    "Interval",
    "Statistic",
    "bootstrap",
    "latency",
    "responsiveness",
    "separability",
    "statistics",
    "windows",
]
