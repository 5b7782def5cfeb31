"""The listener: the paper's generator, its streaming runtime and its training.

What is imported here needs ONNX Runtime but not torch; network, training and export are imported from
their own modules.
"""

from listener_head.listener.batch import ListenerBatch
from listener_head.listener.runtime import Listener, load_listener
from listener_head.listener.session import InputFlag, ListenerFrame, ListenerSession, Mode

__all__ = [
    "InputFlag",
    "Listener",
    "ListenerBatch",
    "ListenerFrame",
    "ListenerSession",
    "Mode",
    "load_listener",
]
