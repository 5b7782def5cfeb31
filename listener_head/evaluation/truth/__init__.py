"""Listeners beside the true one of a recording: distances; pictures and the video in modules of their own."""

from listener_head.evaluation.truth.grid import reference_motion, truth_at, truth_on_grid
from listener_head.evaluation.truth.judgement import judge, pool

__all__ = ["judge", "pool", "reference_motion", "truth_at", "truth_on_grid"]
