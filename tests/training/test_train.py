"""What training says before it starts, and how it shows progress; the training itself needs torch and an hour."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.errors import ClassifierError
from monitor.training.progress import steps
from monitor.training.train import main

HAS_TORCH = importlib.util.find_spec("torch") is not None


@pytest.mark.skipif(HAS_TORCH, reason="torch is installed here")
def test_without_torch_one_sentence_names_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--base", str(tmp_path)]) == ClassifierError.exit_code
    said = capsys.readouterr().err
    assert said.startswith("Training needs torch")
    assert "uv pip install --torch-backend cpu" in said
    assert said.count("\n") == 1


@pytest.mark.skipif(not HAS_TORCH, reason="the check of the base model comes after that of torch")
def test_a_wrong_base_model_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--base", str(tmp_path)]) == ClassifierError.exit_code
    assert "model.safetensors is missing" in capsys.readouterr().err


def test_help_needs_no_torch() -> None:
    done = subprocess.run([sys.executable, "-m", "monitor.training.train", "--help"], capture_output=True, check=False)
    assert done.returncode == 0
    assert b"--base" in done.stdout


def test_progress_writes_plain_lines_into_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    with steps("fold 1 of 3", 3) as tick:
        for _ in range(3):
            tick()
    assert capsys.readouterr().out.splitlines() == ["fold 1 of 3: 3/3 steps, 0 s"]
