"""Recordings in rosbag2's formats, read and written without a ROS. No ROS in here."""

from listener_head.bags.bag import Bag, open_bag
from listener_head.bags.items import Chunk, Item, Message, Picture, Topic

__all__ = ["Bag", "Chunk", "Item", "Message", "Picture", "Topic", "open_bag"]
