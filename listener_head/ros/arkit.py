"""The listener's face as ARKit weights, for nodes that send it on to avatars and people's software."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from listener_head.avatar import ArkitExpression
from listener_head.coefficients import Coefficients
from listener_head.errors import UserError
from listener_head.msg import FaceCoefficients
from listener_head.ros.convert import from_message
from listener_head.ros.node import GraphNode


def arkit_face(
    node: GraphNode, expression: ArkitExpression, message: FaceCoefficients
) -> tuple[Coefficients, NDArray[np.float32]] | None:
    """The coefficients and their ARKit weights [52]; None when not valid, or refused by the node."""
    try:
        coefficients = from_message(message)
        return (coefficients, expression.of(coefficients)) if coefficients.valid else None
    except UserError as problem:
        node.refused(problem)
        return None
