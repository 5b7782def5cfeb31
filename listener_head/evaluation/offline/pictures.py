"""What there is to look at of an evaluation: the video, and rendered pictures beside true ones."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image

from listener_head.bags import Chunk, Picture, Topic, open_bag
from listener_head.errors import UserError
from listener_head.evaluation.offline.evaluate import Evaluated
from listener_head.evaluation.truth.grid import first_row
from listener_head.evaluation.truth.images import compare_rendered
from listener_head.evaluation.truth.video import Heard, make_video
from listener_head.progress import Report
from listener_head.render.factory import HEAD, RENDERERS
from listener_head.rendering.encoder import Timed, rgb_of
from listener_head.rendering.renderers import Look, open_renderer
from listener_head.timing import RATE_HZ

# Side of the pictures in the report's video, and how much of a recording it shows.
VIDEO_SIZE, VIDEO_S = 256, 10.0


@dataclass(frozen=True)
class Pictures:
    """How it is drawn; a video of the first ``seconds``, or none."""

    look: Look = field(default_factory=lambda: Look(size=VIDEO_SIZE))
    seconds: float = VIDEO_S
    inception: Path | None = None  # weights, for FID


def check_look(pictures: Pictures) -> None:
    """Refuse a look that cannot be drawn, before anything long is done; UserError names it."""
    look = pictures.look
    if look.renderer not in RENDERERS or (look.renderer != HEAD and look.portrait is not None):
        open_renderer(look, "arkit52", RATE_HZ).close()


def draw_video(evaluated: Evaluated, pictures: Pictures, output: Path, report: Report) -> Path | None:
    """Speaker, listener and true listener beside each other; None where no picture of the speaker is.

    UserError for a look that cannot be drawn.
    """
    topics = evaluated.topics
    if topics.image is None or pictures.seconds <= 0:
        return None
    with ExitStack() as stack:
        look = pictures.look
        if look.renderer != HEAD and look.portrait is None:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="listener_head-")))
            look = replace(look, portrait=_first_picture(evaluated, folder / "portrait.png"))
        speaker = stack.enter_context(closing(_pictures(evaluated, topics.image)))
        sound = stack.enter_context(closing(_sound(evaluated, topics.audio)))
        truth = topics.listener_image
        beside = stack.enter_context(closing(_pictures(evaluated, truth))) if truth else None
        make_video(evaluated.listened, speaker, sound, output, look, beside, pictures.seconds, report)
    return output


def compare_pictures(evaluated: Evaluated, pictures: Pictures, report: Report) -> dict[str, Any] | None:
    """The paper's Table 3 of what the chosen listener did from the true listener's first frame on.

    None without the true listener's pictures, and for the drawn head, which is nobody. UserError for a
    package or a file that is missing.
    """
    truth, topic, beside = evaluated.perceived.truth, evaluated.topics.listener_image, evaluated.beside
    if truth is None or topic is None or beside is None or pictures.look.renderer == HEAD:
        return None
    with closing(_pictures(evaluated, topic)) as true:
        return compare_rendered(beside, truth, true, pictures.look, pictures.inception, report)


def _pictures(evaluated: Evaluated, topic: Topic) -> Generator[Timed, None, None]:
    """Stamp and picture [H, W, 3] RGB of those that can be decoded."""
    with open_bag(evaluated.path) as bag:
        for item in bag.stream([topic], evaluated.clock):
            if isinstance(item, Picture):
                with suppress(UserError):  # perceiving has counted it
                    yield item.stamp_ns, rgb_of(item.decode())


def _sound(evaluated: Evaluated, topic: Topic | None) -> Generator[Heard, None, None]:
    if topic is None:
        return
    with open_bag(evaluated.path) as bag:
        for item in bag.stream([topic], evaluated.clock):
            if isinstance(item, Chunk):
                yield item.stamp_ns, item.samples, item.sample_rate


def _first_picture(evaluated: Evaluated, path: Path) -> Path:
    """The true listener's first picture with a face, as a file."""
    truth, topic = evaluated.perceived.truth, evaluated.topics.listener_image
    if truth is None or topic is None:
        raise UserError("this renderer needs somebody to draw; give --portrait, a picture of one face")
    wanted = int(truth.stamp_ns[first_row(truth)])
    with closing(_pictures(evaluated, topic)) as pictures:
        rgb = next(picture for stamp_ns, picture in pictures if stamp_ns == wanted)
    Image.fromarray(rgb).save(path)
    return path
