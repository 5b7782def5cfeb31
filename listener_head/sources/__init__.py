"""Speakers to listen to: a video file with its sound, a camera, a microphone. No ROS in here."""

from listener_head.sources.events import Image, Sound, SourceEvent
from listener_head.sources.video_file import VideoFile

__all__ = ["Image", "Sound", "SourceEvent", "VideoFile"]
