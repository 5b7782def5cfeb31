"""The head that ships: authored as anatomy in code, built to ``assets/arkit52.npz``.

``skull`` and ``contours`` hold the proportions, ``skin`` the mesh of the face, ``eyes``, ``mouth``,
``ears``, ``hair`` and ``clothes`` the rest, ``upper_shapes`` and ``mouth_shapes`` the expressions,
``identity`` the proportions' variation, ``colours`` and ``occlusion`` what the surface looks like.
"""
