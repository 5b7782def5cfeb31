"""What the fit knows of a face model: its landmarks' shapes and what to expect of them."""

from __future__ import annotations

from dataclasses import dataclass

from listener_head.face.correspondence import Correspondence, landmark_shapes, load_correspondence
from listener_head.face.deep3d.published import DECIMETRE, five_of_68
from listener_head.face.ibug import ibug_correspondence
from listener_head.face.model import FaceModel
from listener_head.face.pose import Array
from listener_head.face.prior import ExpressionPrior, arkit_prior, unit_prior


@dataclass(frozen=True)
class FittedModel:
    """A face model reduced to the L landmarks that are fitted, in metres and the model's frame."""

    name: str
    mean: Array  # [L, 3]
    identity: Array  # [I, L, 3]
    expression: Array  # [E, L, 3]
    correspondence: Correspondence
    prior: ExpressionPrior
    crop_points: Array | None  # [5, 3] dm, to which the crop is aligned in models that have one


def fitted_model(model: FaceModel) -> FittedModel:
    """Here, and only here, the fit tells one face model from another.

    Raises UserError when the correspondence that ships is not for the model's mesh.
    """
    if model.name == "arkit52":
        correspondence, prior = load_correspondence(model), arkit_prior(model.expression_names)
    else:
        correspondence, prior = ibug_correspondence(model), unit_prior(len(model.expression_names))
    mean, identity, expression = landmark_shapes(model, correspondence)
    crop_points = five_of_68(model.landmark_points() / DECIMETRE) if model.layout.crop_size else None
    return FittedModel(model.name, mean, identity, expression, correspondence, prior, crop_points)
