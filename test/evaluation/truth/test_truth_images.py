"""Rendered pictures against those of a true listener, whom the built-in head plays."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("skimage")

from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.errors import UserError
from listener_head.evaluation.images.similarity import LARGEST_PSNR
from listener_head.evaluation.offline.data import Seen
from listener_head.evaluation.truth import truth_on_grid
from listener_head.evaluation.truth.framing import framing_of
from listener_head.evaluation.truth.images import compare_recorded, compare_rendered
from listener_head.rendering.renderers import Look

LAYOUT = LAYOUTS["arkit52"]
SIZE = 128
STEPS = 16
PICTURES = STEPS
SEEN_FROM = 3
LOOK = Look("portrait", SIZE)


@pytest.fixture(scope="module")
def truth(stamps) -> Seen:
    """Nods and turns; the first pictures have no face that was found."""
    motion = np.tile(LAYOUT.neutral(), (PICTURES, 1))
    swing = np.sin(np.linspace(0, 2 * np.pi, PICTURES - SEEN_FROM))
    motion[SEEN_FROM:, 0], motion[SEEN_FROM:, 1] = 0.1 * swing, 0.3 * swing
    valid = np.arange(PICTURES) >= SEEN_FROM
    return Seen(LAYOUT, stamps(PICTURES, 28.0, 20_000_000), motion.astype(np.float32), valid)


@pytest.fixture(scope="module")
def pictures(truth) -> list[tuple[int, np.ndarray]]:
    """What the true listener's camera sees: the head at the right of a landscape."""
    from listener_head.render import HeadRenderer

    try:
        renderer = HeadRenderer(256)
    except UserError as error:
        pytest.skip(str(error))
    seen = []
    for stamp, motion in zip(truth.stamp_ns.tolist(), truth.motion, strict=True):
        picture = renderer.render(Coefficients.from_motion("arkit52", motion))
        seen.append((stamp, np.pad(picture, ((30, 10), (90, 20), (0, 0)), mode="edge")))
    renderer.close()
    return seen


def test_who_moves_like_the_true_listener_looks_more_like_them(make_listened, truth, pictures):
    moved, seen = truth_on_grid(truth, make_listened(STEPS).indices)
    moved[~seen] = LAYOUT.neutral()
    told = []

    alike = compare_rendered(
        make_listened(STEPS, moved),
        truth,
        iter(pictures),
        LOOK,
        report=lambda _, done, total: told.append((done, total)),
    )
    still = compare_rendered(make_listened(STEPS), truth, iter(pictures), LOOK)

    assert list(alike) == ["ssim", "psnr_db", "cpbd", "fid", "frames"] and alike["fid"] is None
    # From the first step after the picture that is the portrait.
    assert (
        alike["frames"] == still["frames"] == (make_listened(STEPS).stamp_ns > pictures[SEEN_FROM][0]).sum()
    )
    assert told[-1] == (alike["frames"], alike["frames"])
    assert 1 > alike["ssim"] > still["ssim"] > 0 and alike["psnr_db"] > still["psnr_db"] + 1
    assert 0 <= alike["cpbd"] <= 1


def test_a_still_listener_before_a_still_one_is_the_photograph(make_listened, truth, pictures):
    """The rendered picture lies on the true one to a fraction of a pixel."""
    portrait = pictures[SEEN_FROM][1]
    same = compare_rendered(make_listened(STEPS), truth, [(stamp, portrait) for stamp, _ in pictures], LOOK)
    assert same["ssim"] > 0.99 and same["psnr_db"] > 38


def test_pictures_drawn_live_are_compared_in_the_renderers_framing(truth, pictures):
    framing = framing_of("portrait", pictures[SEEN_FROM][1])
    drawn = [(stamp + 1_000_000, framing(picture, SIZE)) for stamp, picture in pictures]

    scores = compare_recorded(iter(drawn), truth, iter(pictures), "portrait")

    assert scores["ssim"] == pytest.approx(1) and scores["psnr_db"] == LARGEST_PSNR
    assert scores["frames"] == PICTURES - SEEN_FROM
    late = [(stamp + 40_000_000, picture) for stamp, picture in drawn]
    assert compare_recorded(iter(late), truth, iter(pictures), "portrait")["psnr_db"] < LARGEST_PSNR


def test_pictures_without_the_true_listener_do_not_count(truth, pictures):
    drawn = [(stamp, np.zeros((SIZE, SIZE, 3), np.uint8)) for stamp, _ in pictures]
    drawn += [(stamp + 10_000_000_000, picture) for stamp, picture in drawn]
    scores = compare_recorded(iter(drawn), truth, iter(pictures), "neural")
    assert scores["frames"] == PICTURES - SEEN_FROM - 1


def test_the_framing_is_that_of_the_renderers(pictures):
    """Of the portrait itself, pixel by pixel."""
    from listener_head.render.neural.portrait import crop_portrait
    from listener_head.render.portrait.photograph import take_photograph

    portrait = pictures[SEEN_FROM][1]
    shown = take_photograph(portrait, SIZE).pixels
    np.testing.assert_array_equal(framing_of("portrait", portrait)(portrait, SIZE), shown)
    np.testing.assert_array_equal(
        framing_of("neural", portrait)(portrait, SIZE), crop_portrait(portrait, SIZE)
    )
    other = portrait // 2
    np.testing.assert_allclose(framing_of("portrait", portrait)(other, SIZE), shown // 2, atol=2)


def test_what_cannot_be_compared_is_refused(make_listened, truth, pictures):
    listened, portrait = make_listened(STEPS), pictures[SEEN_FROM][1]
    blank = [(stamp, np.zeros_like(picture)) for stamp, picture in pictures]
    resized = [*pictures[:6], (pictures[6][0], portrait[:-10]), *pictures[7:]]
    oblong = [(pictures[-1][0], portrait[:128])]
    small = [(pictures[-1][0], portrait[:32, :32])]
    never = make_listened(STEPS, indices=listened.indices + 900)
    for call, message in (
        (lambda: compare_rendered(listened, truth, pictures, Look(size=SIZE)), "'head' draws no person"),
        (lambda: compare_rendered(listened, truth, blank, LOOK), "face"),
        (lambda: compare_rendered(listened, truth, pictures[:2], LOOK), "have none stamped"),
        (lambda: compare_rendered(listened, truth, pictures[4:], LOOK), "have none stamped"),
        (lambda: compare_rendered(listened, truth, resized, LOOK), "change from 366x296 to 366x286"),
        (lambda: compare_rendered(never, truth, pictures, LOOK), "in view at none"),
        (lambda: compare_rendered(listened, truth, pictures, Look("neural", SIZE)), "needs --network"),
        (lambda: compare_recorded(oblong, truth, pictures, "portrait"), "366x128 cannot be compared"),
        (lambda: compare_recorded(small, truth, pictures, "portrait"), "32x32 cannot be compared"),
    ):
        with pytest.raises(UserError, match=message) as caught:
            call()
        assert "\n" not in str(caught.value)


@pytest.fixture
def torch():
    """With one thread: several would only wait for each other."""
    module = pytest.importorskip("torch")
    pytest.importorskip("torchmetrics")
    before = module.get_num_threads()
    module.set_num_threads(1)
    yield module
    module.set_num_threads(before)


def test_fid_sees_all_pictures(torch, truth, pictures, tmp_path):
    """By a network with random weights, more pictures than it sees at once; only the last one is another."""
    from listener_head.evaluation.images.inception import FEATURES, Inception

    torch.manual_seed(0)
    state = Inception().state_dict()
    for name, values in state.items():
        if name.endswith("conv.weight"):  # so that what is seen reaches the last layer
            state[name] = torch.randn_like(values) * (2 / values[0].numel()) ** 0.5
    weights = tmp_path / "weights.pth"
    torch.save({**state, "fc.weight": torch.zeros(1008, FEATURES), "fc.bias": torch.zeros(1008)}, weights)
    framing = framing_of("portrait", pictures[SEEN_FROM][1])
    seen = [(stamp + 1_000_000, framing(picture, SIZE)) for stamp, picture in pictures[: SEEN_FROM + 5]]
    drawn = [*seen[:-1], (seen[-1][0], 255 - seen[-1][1])]

    scores = compare_recorded(iter(drawn), truth, iter(pictures), "portrait", weights)

    assert scores["frames"] == 5
    assert scores["fid"] > 0.1
