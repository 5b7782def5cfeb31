"""Recordings of runs, and what can be said about them: latency, plots, a video, a report. No ROS in here."""

from listener_head.bags.writer import RecordingWriter
from listener_head.evaluation.latency import TARGETS, Metrics, measure, write_metrics
from listener_head.evaluation.recording import Recording, read_recording

__all__ = [
    "TARGETS",
    "Metrics",
    "Recording",
    "RecordingWriter",
    "measure",
    "read_recording",
    "write_metrics",
]
