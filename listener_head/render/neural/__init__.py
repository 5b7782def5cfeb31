"""PIRenderer: the user's network, from one portrait and a listener's motion to pictures.

`listener_head import-checkpoint` turns the published checkpoint into an ONNX file; running it needs no torch.
"""

from listener_head.render.neural.runtime import NeuralRenderer

__all__ = ["NeuralRenderer"]
