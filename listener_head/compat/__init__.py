"""Standard ROS Python classes: the real ones where they can be imported, ours elsewhere.

PyPI's ROS wheels lack `cv_bridge`. The nodes are written against its API and import it from here.
"""

try:
    from cv_bridge import CvBridge, CvBridgeError
except ImportError:
    from listener_head.compat.cv_bridge import CvBridge, CvBridgeError

__all__ = ["CvBridge", "CvBridgeError"]
