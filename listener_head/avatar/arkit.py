"""ARKit expression weights of a listener, whatever face model it speaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from listener_head.coefficients import ARKIT_NAMES, Coefficients
from listener_head.errors import UserError

if TYPE_CHECKING:
    from listener_head.face.retarget import Retarget


def open_retarget(face_model: str) -> Retarget | None:
    """What brings bfm2009 expressions to ARKit with the user's ``BFM_model_front.mat``; None without a path.

    UserError for a file that is missing or broken.
    """
    if not face_model:
        return None
    from listener_head.face.model import load_face_model
    from listener_head.face.retarget import Retarget

    return Retarget(load_face_model(face_model), load_face_model("arkit52"))


class ArkitExpression:
    """Gives the 52 weights of ARKIT_NAMES; ``retarget`` is needed for a listener that speaks bfm2009."""

    def __init__(self, retarget: Retarget | None = None) -> None:
        self._retarget = retarget

    def of(self, coefficients: Coefficients) -> NDArray[np.float32]:
        """Weights [52] float32, 0 to 1.

        UserError for bfm2009 without a model, and for an expression of the wrong size or not finite.
        """
        if coefficients.face_model == "arkit52":
            weights = np.asarray(coefficients.expression, np.float32)
            if weights.shape != (len(ARKIT_NAMES),) or not np.isfinite(weights).all():
                raise UserError(
                    f"an arkit52 expression of {weights.size} numbers cannot be used; "
                    f"send {len(ARKIT_NAMES)} finite ones"
                )
            clipped: NDArray[np.float32] = weights.clip(0.0, 1.0)
            return clipped
        if self._retarget is None:
            raise UserError(
                f"the listener's face is {coefficients.face_model}, which has no ARKit shapes; "
                "give face_model the path of your BFM_model_front.mat"
            )
        return self._retarget.expression(coefficients.expression)
