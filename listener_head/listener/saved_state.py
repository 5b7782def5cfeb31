"""A listener's state as bytes: to go on from later, in another process, or in another batch."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from listener_head.errors import UserError
from listener_head.listener.fade import FADE_FRAMES, AttitudeFade
from listener_head.listener.network_file import NetworkFile, State

FloatArray = NDArray[np.float32]

_MOTIONS = ("reference", "motion")
_CURRENT, _FADING = "current_", "fading_"


@dataclass(frozen=True)
class SavedState:
    """All that one listener's next steps depend on; ``fading`` is the state that is being faded to.

    ``reference`` is m₁, ``motion`` the last one without the rest (`NetworkFile.rest`), both [M].
    """

    reference: FloatArray
    motion: FloatArray
    fade: AttitudeFade
    current: State
    fading: State | None

    def to_bytes(self, network: NetworkFile) -> bytes:
        """A NumPy archive: the arrays and, as JSON, the attitudes and the network that they belong to."""
        facts = {"network": network.hash, **vars(self.fade)}
        arrays = {name: getattr(self, name) for name in _MOTIONS}
        arrays |= {_CURRENT + name: array for name, array in self.current.items()}
        arrays |= {_FADING + name: array for name, array in (self.fading or {}).items()}
        file = io.BytesIO()
        np.savez(file, facts=np.array(json.dumps(facts)), **arrays)
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes, network: NetworkFile) -> SavedState:
        """What `to_bytes` has written; UserError when it is broken or of another network."""
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in archive.files}
            facts = json.loads(str(arrays["facts"]))
            hash_found = facts["network"]
        except (OSError, ValueError, KeyError, TypeError, EOFError, NotImplementedError) as problem:
            raise _broken(f"{type(problem).__name__}") from None
        except (zipfile.BadZipFile, zlib.error):
            raise _broken("no archive") from None
        if hash_found != network.hash:
            raise UserError(
                f"the saved state belongs to network {hash_found}, not to '{network.name}' ({network.hash}); "
                "load that network, or reset"
            )
        fade = _fade(facts, network)
        reference, motion = (_checked(arrays, name, (network.layout.size,)) for name in _MOTIONS)
        fading = _state(arrays, _FADING, network) if fade.frame is not None else None
        return cls(reference, motion, fade, _state(arrays, _CURRENT, network), fading)


def _fade(facts: dict[str, object], network: NetworkFile) -> AttitudeFade:
    attitude, pending, frame = (facts.get(name) for name in ("attitude", "pending", "frame"))
    known: tuple[object, ...] = network.attitudes or (None,)
    running = isinstance(frame, int) and 0 <= frame < FADE_FRAMES
    if attitude not in known or pending not in (None, *known) or not (frame is None or running):
        raise _broken("attitude")
    fade = AttitudeFade(attitude)  # type: ignore[arg-type]
    fade.pending, fade.frame = pending, frame  # type: ignore[assignment]
    return fade


def _state(arrays: dict[str, NDArray], prefix: str, network: NetworkFile) -> State:
    names = network.state_names
    return {name: _checked(arrays, prefix + name, network.state_shape(name, 1)) for name in names}


def _checked(arrays: dict[str, NDArray], name: str, shape: tuple[int, ...]) -> FloatArray:
    array = arrays.get(name)
    if array is None or array.dtype != np.float32 or array.shape != shape or not np.isfinite(array).all():
        raise _broken(name)
    return array


def _broken(what: str) -> UserError:
    return UserError(f"the saved state is broken ({what}); give the bytes that Listener.state gave, or reset")
