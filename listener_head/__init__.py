"""A head that listens: speaker's sound and face in, listener's head and face motion out."""

from pkgutil import extend_path

# The ROS message classes (`listener_head.msg`) are generated at build time and may be
# installed beside a source tree that is imported first.
__path__ = extend_path(__path__, __name__)
__version__ = "0.1.0"
