"""Sound to one feature vector per video frame, live or for whole clips."""

from listener_head.audio.stamped import StampedFeatures
from listener_head.audio.stream import FeatureFrames, FeatureStream, extract_features

__all__ = ["FeatureFrames", "FeatureStream", "StampedFeatures", "extract_features"]
