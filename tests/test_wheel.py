"""The built wheel carries everything that a clone has: SQL, model, scenario, templates and the starter file."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.world import SURE

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    zipfile.ZipFile(next(folder.glob("*.whl"))).extractall(folder / "site")
    return folder / "site"


def installed(site: Path, folder: Path, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "monitor", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(site)}
    return subprocess.run(command, cwd=folder, env=environment, input=stdin, capture_output=True, text=True, check=True)


def test_it_is_the_wheel_that_is_tested(unpacked: Path, tmp_path: Path) -> None:
    where = [sys.executable, "-c", "import monitor, storage; print(monitor.__file__, storage.__file__)"]
    environment = {**os.environ, "PYTHONPATH": str(unpacked)}
    told = subprocess.run(where, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True).stdout
    assert told.count(str(unpacked)) == 2


def test_it_writes_and_checks_a_configuration_and_lists_the_queries(unpacked: Path, tmp_path: Path) -> None:
    installed(unpacked, tmp_path, "init")
    assert "good" in installed(unpacked, tmp_path, "check").stdout
    assert "trends-now" in installed(unpacked, tmp_path, "query", "--list").stdout


def test_its_model_tags(unpacked: Path, tmp_path: Path) -> None:
    answer = installed(unpacked, tmp_path, "classify", "--jsonl", stdin=json.dumps({"title": SURE}))
    assert json.loads(answer.stdout)["topics"] == ["efficiency"]


def test_it_carries_every_file_of_the_packages(unpacked: Path) -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "monitor", "storage"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if tracked.returncode:
        pytest.skip("not a git checkout")
    assert [name for name in tracked.stdout.splitlines() if not (unpacked / name).exists()] == []
