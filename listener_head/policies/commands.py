"""The command `listener_head policies`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from listener_head.errors import UserError


def policies(
    dyads: Annotated[Path, typer.Option(help="Folder of a set of dyads in ViCo's layout.")],
    network: Annotated[Path, typer.Option(help="Network beside which the policy data shall lie.")],
    seed: Annotated[int, typer.Option(help="Seed of the patterns.", min=0)] = 0,
) -> None:
    """Make the data of the baseline policies from a set's training clips, beside a network.

    Example: listener_head policies --dyads data/vico --network out/listener_arkit52.onnx
    """
    from listener_head.dyads.frames import in_optical_frame
    from listener_head.dyads.vico import load
    from listener_head.listener.runtime import load_listener
    from listener_head.policies.build import build_policy_data
    from listener_head.policies.data import policy_data_path

    clips, listener = in_optical_frame(load(dyads)), load_listener(network)
    if (clips.layout, clips.audio_layout) != (listener.layout, listener.audio_layout):
        raise UserError(
            f"the dyads in '{dyads}' are {clips.layout.face_model} with sound {clips.audio_layout}, network "
            f"'{network}' is made for {listener.face_model} with {listener.audio_layout}; give its own set"
        )
    path = policy_data_path(network)
    build_policy_data(clips.of("train"), seed).save(path)
    Console().print(f"{path}", soft_wrap=True)
