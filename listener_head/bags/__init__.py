"""Recordings in rosbag2's formats, read and written without a ROS. No ROS in here."""
