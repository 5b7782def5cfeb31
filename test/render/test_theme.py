import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listener_head.errors import UserError
from listener_head.paths import config_dir
from listener_head.render.contact_sheet import pose
from listener_head.render.theme import Theme, load_theme, theme_names

GOOD = (config_dir() / "themes" / "default.yaml").read_text()


def test_the_default_file_says_what_a_theme_leaves_out():
    assert load_theme() == Theme()
    keys = {line.split(":")[0] for line in GOOD.splitlines() if line and line[0].isalpha()}
    assert keys == set(Theme.model_fields)


def test_themes_look_different_and_a_plain_robot_is_among_them(open_renderer):
    names = theme_names()
    assert names[0] == "default" and "robot" in names and len(names) >= 3
    pictures = [open_renderer(64, theme=name, background=(0.5, 0.5, 0.5)).render(pose({})) for name in names]
    for i, picture in enumerate(pictures):
        for other in pictures[i + 1 :]:
            assert np.abs(picture.astype(float) - other).mean() > 5


def test_a_theme_of_ones_own_needs_only_what_is_different(tmp_path, open_renderer):
    path = tmp_path / "green.yaml"
    path.write_text("eyes: {iris: [0.1, 0.6, 0.2]}\nbackground: [0.0, 0.0, 1.0]\n")
    theme = load_theme(str(path))
    assert theme.eyes.iris == (0.1, 0.6, 0.2) and theme.hair == Theme().hair
    picture = open_renderer(64, theme=path).render(pose({}))
    np.testing.assert_array_equal(picture[0, 0], (0, 0, 255))


MISTAKES = {
    "unknown key": ("lips:", "lipz:", 9, "unknown key 'lipz'"),
    "unknown key below": ("  seams: false", "  seam: false", 8, "unknown key 'skin.seam'"),
    "too bright": ("[0.44, 0.29, 0.17]", "[0.44, 29, 0.17]", 12, "'eyes.iris.1' is 29; it should be less"),
    "two numbers": ("[0.44, 0.29, 0.17]", "[0.44, 0.29]", 12, "'eyes.iris.2' is missing"),
    "a word": ("flush: 1.0", "flush: red", 6, "'skin.flush' is 'red'; it should be a valid number"),
    "not finite": ("flush: 1.0", "flush: .nan", 6, "'skin.flush' is nan"),
    "no choice": (
        "finish: skin",
        "finish: fur",
        7,
        "'skin.finish' is 'fur'; it should be 'skin' or 'plastic'",
    ),
    "no direction": ("[-0.438, 0.526, 0.729]", "[0, 0, 0]", 23, "a direction needs three numbers"),
    "twice": ("brows:", "lips:", 10, "key 'lips' is there twice"),
    "not YAML": ("lips: [0.775", "lips: {0.775", 9, "not valid YAML"),
    "a list": (GOOD, "- 1\n", 1, "not a theme file"),
    "empty": (GOOD, "", 1, "not a theme file"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named_with_file_and_line(tmp_path, mistake):
    old, new, line, message = MISTAKES[mistake]
    assert old in GOOD
    path = tmp_path / "theme.yaml"
    path.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(UserError) as caught:
        load_theme(path)
    text = str(caught.value)
    assert message in text and "\n" not in text
    assert text.startswith(f"{path}:{line}:")


def test_an_unknown_theme_and_a_missing_file_are_named():
    with pytest.raises(UserError, match="theme 'gold' is unknown; choose one of default, robot"):
        load_theme("gold")
    with pytest.raises(UserError, match=r"theme file /absent\.yaml cannot be read: No such file"):
        load_theme("/absent.yaml")


@settings(deadline=None, max_examples=60)
@given(st.one_of(st.text(max_size=60), st.binary(max_size=60)), st.floats(0, 1))
def test_any_damage_is_one_line_or_a_theme(tmp_path_factory, damage, place):
    path = tmp_path_factory.mktemp("themes") / "theme.yaml"
    whole, at = GOOD.encode(), int(place * len(GOOD))
    more = damage.encode("utf-8", "surrogatepass") if isinstance(damage, str) else damage
    path.write_bytes(whole[:at] + more + whole[at + len(more) :])
    try:
        load_theme(path)
    except UserError as error:
        assert str(path) in str(error) and "\n" not in str(error)
