"""The listener's face for avatars and for ROS4HRI: Live Link Face packets and facial action units."""

from listener_head.avatar.action_units import action_units
from listener_head.avatar.arkit import ArkitExpression
from listener_head.avatar.live_link import LiveLinkEncoder, LiveLinkSender

__all__ = ["ArkitExpression", "LiveLinkEncoder", "LiveLinkSender", "action_units"]
