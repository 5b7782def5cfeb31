"""A page on this computer that shows a running graph: pictures, curves, the state, and a few buttons.

No ROS in here: the node `viewer` feeds it.
"""

from listener_head.viewing.feed import Feed
from listener_head.viewing.server import PageServer, find_address

__all__ = ["Feed", "PageServer", "find_address"]
