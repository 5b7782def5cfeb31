import shutil
import sys
from pathlib import Path

import pytest

from listener_head import paths
from listener_head.errors import UserError


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package that lies where no source tree is beside it, in an environment without shared files."""
    monkeypatch.setattr(paths, "__file__", str(tmp_path / "site-packages/listener_head/paths.py"))
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "environment"))
    monkeypatch.delenv("AMENT_PREFIX_PATH", raising=False)
    return tmp_path


def give_config(share: Path) -> Path:
    shutil.copytree(Path(__file__).parents[2] / "config", share / "config")
    return share


def test_the_source_tree_comes_first() -> None:
    assert paths.config_dir() == Path(__file__).parents[2] / "config"


def test_an_installed_package_finds_the_share_of_its_environment(installed: Path) -> None:
    share = give_config(installed / "environment/share/listener_head")
    assert paths.share_dir() == share


def test_a_ros_workspace_is_found_by_its_prefix(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    share = give_config(installed / "workspace/share/listener_head")
    monkeypatch.setenv("AMENT_PREFIX_PATH", f"{installed}/other:{installed}/workspace")
    assert paths.share_dir() == share


def test_without_shared_files_the_folders_looked_in_are_named(installed: Path) -> None:
    with pytest.raises(
        UserError, match=r"no folder config/robots in any of .*environment/share/listener_head"
    ):
        paths.share_dir()
