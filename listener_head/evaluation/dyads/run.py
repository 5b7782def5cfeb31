"""An evaluation from a set to files and tables."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console

from listener_head.dyads.clips import DyadClips
from listener_head.errors import UserError
from listener_head.evaluation.dyads.evaluate import (
    EVALUATED,
    Evaluation,
    as_json,
    evaluate_policies,
    usable_clips,
)
from listener_head.evaluation.dyads.table import tables, write_csv
from listener_head.files import replacing
from listener_head.listener.runtime import DEFAULT_NETWORK, load_listener
from listener_head.policies.build import build_policy_data
from listener_head.policies.data import PolicyData, policy_data_path
from listener_head.policies.factory import BASELINES, POLICY_NAMES
from listener_head.policies.policy import Policy
from listener_head.progress import progress_bar


def run(
    dyads: DyadClips, network: Path | None, policies: str, seed: int, output: Path, console: Console
) -> None:
    """Evaluate, write both files into ``output`` and print the tables; UserError for wrong input."""
    if not len(dyads):
        raise UserError(f"the set of dyads has no clip ({len(dyads.skipped)} skipped); give another folder")
    usable = usable_clips(dyads)
    chosen = load_policies(usable, network, policies, seed)
    with progress_bar("evaluating", transient=True) as report:
        evaluation = evaluate_policies(
            usable, chosen, lambda progress: report(progress.stage, progress.done, progress.total), seed
        )
    facts = {
        "face_model": usable.layout.face_model,
        "audio_layout": usable.audio_layout,
        "seed": seed,
        "policies": {name: {"name": policy.name, "hash": policy.hash} for name, policy in chosen.items()},
    }
    with replacing(output / "evaluation.json") as partial:
        partial.write_text(json.dumps(as_json(evaluation, facts), indent=2) + "\n")
    write_csv(evaluation, output / "evaluation.csv")
    _show(evaluation, console)
    console.print(f"{output / 'evaluation.json'}  {output / 'evaluation.csv'}", soft_wrap=True)


def _show(evaluation: Evaluation, console: Console) -> None:
    for table in tables(evaluation):
        console.print(table)
    for split in EVALUATED:
        if split not in evaluation.clips:
            console.print(f"The set has no clip in the split {split}: it is left out.")
        elif not evaluation.responsiveness[split]:
            console.print(f"No clip of {split} is a minute long: responsiveness is not measured there.")
    if evaluation.skipped:
        text = f"{len(evaluation.skipped)} clips skipped, the first: {evaluation.skipped[0]}"
        console.print(text, markup=False, soft_wrap=True)


def load_policies(dyads: DyadClips, network: Path | None, names: str, seed: int) -> dict[str, Policy]:
    """Policies by name; the baselines are made of the set's training clips, or of the network's policy data.

    UserError for an unknown name, or when there are neither training clips nor policy data.
    """
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in POLICY_NAMES]
    if unknown or not wanted:
        what = f"policy '{unknown[0]}' is unknown" if unknown else "no policy is named"
        raise UserError(f"{what}; choose of {', '.join(POLICY_NAMES)}")
    loaded: dict[str, Policy] = {}
    data: PolicyData | None = None
    for name in dict.fromkeys(wanted):
        if name == "network":
            loaded[name] = load_listener(network)
            continue
        if data is None:
            training = dyads.of("train")
            data = build_policy_data(training, seed) if len(training) else _data_beside(network)
        loaded[name] = BASELINES[name](data, seed)
    return loaded


def _data_beside(network: Path | None) -> PolicyData:
    path = policy_data_path(network or DEFAULT_NETWORK)
    if not path.exists():
        raise UserError(
            f"the set has no clip in the split train, and '{path}' is missing; the baselines are made of one "
            "or the other: give a set with training clips, or --policies network"
        )
    return PolicyData.load(path)
