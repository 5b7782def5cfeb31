"""The command `listener_head image-metrics`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console


def image_metrics(
    generated: Annotated[
        Path, typer.Argument(help="Video, folder of pictures, or folder of either by name of clip.")
    ],
    truth: Annotated[Path, typer.Argument(help="The true pictures, in the same form.")],
    attitudes: Annotated[
        Path | None, typer.Option(help="Table with the columns uuid, attitude and, if wanted, data_split.")
    ] = None,
    inception: Annotated[
        Path | None, typer.Option(help="Weights of Inception for FID, in the form of pytorch-fid.")
    ] = None,
    output: Annotated[Path, typer.Option(help="Folder of image_metrics.json and image_metrics.csv.")] = Path(
        "out/evaluation"
    ),
) -> None:
    """Compare generated pictures with true ones: FID, SSIM, PSNR and CPBD of the paper's Table 3.

    Example: listener_head image-metrics out/rendered vico/videos --attitudes vico/metadata/data.csv
    """
    from listener_head.evaluation.images.run import run

    run(generated, truth, attitudes, inception, output, Console())
