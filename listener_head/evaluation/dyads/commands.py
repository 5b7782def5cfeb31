"""The command `listener_head evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from listener_head.policies.factory import POLICY_NAMES


def evaluate(
    dyads: Annotated[Path, typer.Option(help="Folder of a set of dyads in ViCo's layout.")],
    network: Annotated[
        Path | None, typer.Option(help="Network file; the one that ships if left out.")
    ] = None,
    policies: Annotated[
        str, typer.Option(help="Names with commas between them, of: " + ", ".join(POLICY_NAMES))
    ] = ",".join(POLICY_NAMES),
    seed: Annotated[int, typer.Option(help="Seed of all that is drawn.", min=0)] = 0,
    output: Annotated[Path, typer.Option(help="Folder of evaluation.json and evaluation.csv.")] = Path(
        "out/evaluation"
    ),
) -> None:
    """Evaluate listeners on a set of dyads: the paper's Table 2, later measures, responsiveness.

    Example: listener_head evaluate --dyads data/vico --network out/listener_arkit52.onnx
    """
    from listener_head.dyads.frames import in_optical_frame
    from listener_head.dyads.vico import load
    from listener_head.evaluation.dyads.run import run

    run(in_optical_frame(load(dyads)), network, policies, seed, output, Console())
