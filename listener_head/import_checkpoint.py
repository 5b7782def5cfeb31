"""The command `listener_head import-checkpoint`: a published checkpoint to a network that runs here."""

from __future__ import annotations

import hashlib
import re
import warnings
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from listener_head.errors import UserError

_KEYS_SHOWN = 5


def import_checkpoint(
    file: Annotated[
        Path,
        typer.Argument(help="Of Deep3DFaceReconstruction, the ViCo baseline's listener or PIRenderer."),
    ],
    output: Annotated[
        Path | None, typer.Option(help="Network to write; the checkpoint's name with .onnx if empty.")
    ] = None,
    landmarks: Annotated[
        Path | None,
        typer.Option(
            help="Deep3D's standard landmarks: similarity_Lm3D_all.mat, or BFM_model_front.mat.",
        ),
    ] = None,
    statistics: Annotated[
        Path | None, typer.Option(help="Folder of the listener's *_feats_mean_std.bin files.")
    ] = None,
) -> None:
    """Turn a published checkpoint into an ONNX network of listener_head.

    Examples: listener_head import-checkpoint epoch_20.pth --landmarks similarity_Lm3D_all.mat;
    listener_head import-checkpoint checkpoint.bin --statistics vico/features --output vico.onnx;
    listener_head import-checkpoint epoch_00190_iteration_000400000_checkpoint.pt --output pirenderer.onnx
    """
    path = output or file.with_suffix(".onnx")
    if path.resolve() == file.resolve():
        raise UserError(f"'{path}' is both checkpoint and output; give another --output")
    content = read_checkpoint(file)
    from listener_head.face.deep3d.checkpoint import find_weights
    from listener_head.listener.checkpoint import find_listener_weights, import_listener
    from listener_head.render.neural.checkpoint import find_generator_weights

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if (weights := find_weights(content)) is not None:
            _import_deep3d(file, weights, landmarks, path)
            what, warning = "Deep3DFaceReconstruction: 257 coefficients of bfm2009", ""
        elif (weights := find_listener_weights(content)) is not None:
            card = import_listener(file, weights, statistics, path)
            what, warning = "listener of the ViCo baseline: bfm2009, vico45", card.get("warning", "")
        elif (weights := find_generator_weights(content)) is not None:
            _import_generator(file, weights, path)
            what, warning = "PIRenderer: pictures of a portrait, 256 x 256, from bfm2009", ""
        else:
            raise UserError(
                f"checkpoint '{file}' holds {_described(content)}; known are checkpoints of "
                "Deep3DFaceReconstruction, with the key 'net_recon', of the ViCo baseline's listener, and of "
                "PIRenderer, with its networks under 'net_G_ema'"
            )
    except OSError as error:
        raise UserError(f"'{path}' cannot be written ({error.strerror}); give another --output") from None
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"{path}  [dim]{what}[/]")
    if warning:
        console.print(f"[yellow]warning:[/] {warning}")


def read_checkpoint(path: Path) -> object:
    """What a file of `torch.save` holds. Nothing but tensors and plain containers is loaded: it runs no code.

    UserError when it cannot be read, or holds other things, or torch is not installed.
    """
    try:
        import torch
    except ImportError:
        raise UserError(
            "import-checkpoint needs the package 'torch'; install listener_head with its training extra: "
            "pip install 'listener_head[train]'"
        ) from None
    if not path.is_file():
        raise UserError(f"checkpoint '{path}' is not a file; give the .pth file of a published network")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of torch about damaged files, which the error tells too
            return torch.load(path, map_location="cpu", weights_only=True)
    # Beside its own errors torch lets those of pickle and zip escape, whatever a damaged file makes of them.
    except Exception as error:
        foreign = re.search(r"GLOBAL ([\w.]+)", str(error))
    if foreign:
        raise UserError(
            f"checkpoint '{path}' holds the Python object '{foreign[1]}'; only tensors are loaded, "
            "since other things can run code: save its weights alone with torch.save"
        )
    raise UserError(f"checkpoint '{path}' is damaged or no file of torch.save; fetch it again")


def _import_deep3d(file: Path, weights: dict[str, Any], landmarks: Path | None, output: Path) -> None:
    from listener_head.face.deep3d.card import make_card
    from listener_head.face.deep3d.checkpoint import load_weights
    from listener_head.face.deep3d.export import export_network
    from listener_head.face.deep3d.standard import load_standard_landmarks

    if landmarks is None:
        raise UserError(
            f"checkpoint '{file}' is of Deep3DFaceReconstruction, which also needs its standard landmarks; "
            "give --landmarks similarity_Lm3D_all.mat (or your BFM_model_front.mat)"
        )
    standard = load_standard_landmarks(landmarks)
    network = load_weights(weights, f"checkpoint '{file}'")
    card = make_card(file.stem, _sha256(file), standard)
    export_network(network, card, output)


def _import_generator(file: Path, weights: dict[str, Any], output: Path) -> None:
    from listener_head.render.neural.card import make_card
    from listener_head.render.neural.checkpoint import load_generator
    from listener_head.render.neural.export import export_network

    network = load_generator(weights, f"checkpoint '{file}'")
    export_network(network, make_card(file.stem, _sha256(file)), output)


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _described(content: object) -> str:
    if not isinstance(content, dict):
        return f"an object of type {type(content).__name__}"
    keys = [f"'{key}'" for key in list(content)[:_KEYS_SHOWN]]
    more = ", ..." if len(content) > len(keys) else ""
    return f"a dictionary of {len(content)} keys ({', '.join(keys)}{more})"
