"""FID with random weights in the published form, and what is said when the weights are wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("torchmetrics")

from listener_head.errors import UserError  # noqa: E402
from listener_head.evaluation.images.fid import WEIGHTS_FILE, FrechetInception  # noqa: E402
from listener_head.evaluation.images.inception import FEATURES, Inception, load_inception  # noqa: E402

PICTURES = np.random.default_rng(0).integers(0, 256, (6, 64, 64, 3)).astype(np.uint8)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Threads of pictures as small as these would only wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    """A file as published: all layers by name, among them that of the 1008 classes."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / WEIGHTS_FILE
    state = Inception().state_dict()
    for name, values in state.items():
        if name.endswith("conv.weight"):  # so that what is seen reaches the last layer
            state[name] = torch.randn_like(values) * (2 / values[0].numel()) ** 0.5
    torch.save({**state, "fc.weight": torch.zeros(1008, FEATURES), "fc.bias": torch.zeros(1008)}, path)
    return path


def test_of_a_set_with_itself_it_is_zero_and_it_grows_with_noise(weights: Path) -> None:
    inception = FrechetInception(weights)
    noise = np.random.default_rng(1).normal(size=PICTURES.shape)
    for level in (0, 20, 80):
        noisy = np.clip(PICTURES + level * noise, 0, 255).astype(np.uint8)
        inception.add([f"noise {level}", "all"], noisy, PICTURES)

    distances = [inception.distance(f"noise {level}") for level in (0, 20, 80)]

    assert distances[0] == pytest.approx(0.0, abs=1e-3)
    assert distances[0] < distances[1] < distances[2]
    assert 0 < inception.distance("all") < distances[2]


def test_it_is_the_frechet_distance_of_the_features(weights: Path) -> None:
    others = PICTURES[::-1, ::2].repeat(2, axis=1) // 2
    inception, network = FrechetInception(weights), load_inception(weights)
    inception.add(["all"], others[:3], PICTURES[:3])
    inception.add(["all"], others[3:], PICTURES[3:])

    one, two = (network.features(each).numpy().astype(np.float64) for each in (others, PICTURES))
    shift = np.square(one.mean(axis=0) - two.mean(axis=0)).sum()
    one, two = (each - each.mean(axis=0) for each in (one, two))
    # tr (Σ₁Σ₂)^½ is the sum of the singular values of Σ₁^½ Σ₂^½, which are those of X₁ X₂ᵀ / (n - 1).
    common = np.linalg.svd(one @ two.T, compute_uv=False).sum()
    spread = (np.square(one).sum() + np.square(two).sum() - 2 * common) / (len(one) - 1)
    assert inception.distance("all") == pytest.approx(shift + spread, rel=1e-6)


def test_one_picture_has_no_distance(weights: Path) -> None:
    inception = FrechetInception(weights)
    inception.add(["one"], PICTURES[:1], PICTURES[:1])
    assert inception.distance("one") is None


def test_missing_weights_are_named_with_their_source(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"absent\.pth' are not a file; download https://github\.com/mseitzer"
    ):
        FrechetInception(tmp_path / "absent.pth")


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("Mixed_7c.branch_pool.conv.weight", None, "branch_pool.conv.weight is missing"),
        ("Conv2d_1a_3x3.conv.weight", torch.zeros(32, 1, 3, 3), r"is \(32, 1, 3, 3\), not \(32, 3, 3, 3\)"),
        ("Conv2d_1a_3x3.bn.bias", torch.full((32,), torch.nan), "not finite"),
    ],
)
def test_other_weights_are_refused_by_layer(weights: Path, tmp_path: Path, name, values, said) -> None:
    state = torch.load(weights, weights_only=True)
    state[name] = values
    torch.save(state, tmp_path / "other.pth")
    with pytest.raises(UserError, match=said):
        load_inception(tmp_path / "other.pth")


@pytest.mark.parametrize("content", [b"", b"rubbish" * 100])
def test_a_file_that_is_no_checkpoint_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.pth"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"bad\.pth' cannot be read"):
        load_inception(path)
