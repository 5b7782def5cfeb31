"""Deep3DFaceReconstruction: the user's network, from an aligned face to all 257 coefficients of BFM 2009.

`listener_head import-checkpoint` turns the published checkpoint into an ONNX file; running it needs no torch.
"""

from listener_head.face.deep3d.runtime import Deep3DFitter

__all__ = ["Deep3DFitter"]
