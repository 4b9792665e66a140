"""Any other model: opened without loading, downloaded once, and plain about what it lacks.

What needs torch is in test_hub_torch.py.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from monitor.errors import ClassifierError, ConfigError
from monitor.signals.hub import HubClassifier, download
from monitor.signals.label_choice import STATEMENTS, independent, is_zero_shot, places, statements, verdicts
from monitor.signals.settings import ClassifierSettings

TOPICS = ("efficiency", "capex", "geopolitics")


def opened(model: str, **labels: str) -> HubClassifier:
    return HubClassifier.open(ClassifierSettings(model=model, labels=labels), TOPICS)


class TestOpening:
    @pytest.mark.parametrize("model", ["org/name", "name", "org/name-v1.1_x"])
    def test_a_name_is_taken_as_it_is_written(self, model: str) -> None:
        classifier = opened(model)
        assert classifier.name == model
        assert classifier.models == dict.fromkeys(TOPICS, model)
        assert classifier.thresholds == dict.fromkeys(TOPICS, 0.5)
        assert classifier.topics == TOPICS

    def test_a_folder_gives_its_own_name(self, tmp_path: Path) -> None:
        (tmp_path / "my-model").mkdir()
        assert opened(str(tmp_path / "my-model")).name == "my-model"

    @pytest.mark.parametrize(
        "model", ["/no/such/folder", "./models/mine", "~/models/mine", "a/b/c", "two words", "C:\\x"]
    )
    def test_what_can_be_no_name_and_is_no_folder_is_refused(self, model: str) -> None:
        with pytest.raises(ClassifierError, match="there is no folder"):
            opened(model)

    def test_a_label_for_an_unknown_topic_is_a_mistake_in_the_configuration(self) -> None:
        with pytest.raises(
            ConfigError, match=r"classifier\.labels: there is no topic crypto; topics: efficiency, capex"
        ):
            opened("org/name", crypto="LABEL_1")

    def test_opening_loads_nothing(self) -> None:
        script = (
            "import sys; from monitor.signals.hub import HubClassifier; "
            "from monitor.signals.settings import ClassifierSettings; "
            "HubClassifier.open(ClassifierSettings(model='org/name'), ('capex',)); print(*sys.modules)"
        )
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        assert not {"torch", "transformers", "huggingface_hub", "numpy"} & set(done.stdout.split())

    @pytest.mark.skipif(find_spec("torch") is not None, reason="torch is installed here")
    def test_without_torch_it_says_how_to_install_it(self) -> None:
        with pytest.raises(ClassifierError) as refused:
            opened("org/name").read(["A text."])
        said = str(refused.value)
        assert said.startswith("The model org/name needs torch, which cannot be imported (No module named 'torch').")
        assert "`pip install torch --index-url https://download.pytorch.org/whl/cpu`" in said
        assert "`uv pip install torch --torch-backend cpu`" in said


class TestWhichLabelMeansWhat:
    @pytest.mark.parametrize(
        ("known", "labels", "expected"),
        [
            (["other", "Geopolitics", "CAPEX", "efficiency"], {}, (3, 2, 1)),
            (["L_0", "L_1", "L_2"], {"efficiency": "L_2", "capex": "l_0", "geopolitics": "L_1"}, (2, 0, 1)),
            (["efficiency", "money", "geopolitics"], {"capex": "money"}, (0, 1, 2)),
        ],
        ids=["equal names in any case", "all of them named by the user", "one of them named by the user"],
    )
    def test_a_topic_finds_its_label(self, known: list[str], labels: dict[str, str], expected: tuple[int, ...]) -> None:
        assert places("m", known, TOPICS, labels) == expected

    def test_a_topic_without_a_label_lists_the_models_and_shows_what_to_write(self) -> None:
        with pytest.raises(ClassifierError) as refused:
            places("org/name", ["NEG", "POS"], TOPICS, {"capex": "POS"})
        assert str(refused.value).splitlines() == [
            "The model org/name has no label for efficiency, geopolitics; its labels are NEG, POS.",
            "Choose another model, or say in feeds.yaml which label means which topic, for instance:",
            "classifier:",
            "  model: org/name",
            "  labels: {efficiency: NEG, capex: POS, geopolitics: NEG}",
        ]

    @pytest.mark.parametrize(
        ("known", "against", "entailed"),
        [
            (["contradiction", "neutral", "entailment"], 0, 2),
            (["ENTAILMENT", "NEUTRAL", "CONTRADICTION"], 2, 0),
            (["entailment", "not_entailment"], 1, 0),
            (["no", "entailed"], 0, 1),
        ],
    )
    def test_a_zero_shot_model_is_known_by_its_labels(self, known: list[str], against: int, entailed: int) -> None:
        assert is_zero_shot(known)
        assert verdicts("m", known) == (against, entailed)

    def test_other_models_are_no_zero_shot_models(self) -> None:
        assert not is_zero_shot(["efficiency", "capex", "geopolitics"])

    def test_a_model_that_cannot_contradict_is_refused(self) -> None:
        with pytest.raises(ClassifierError, match="no label for a contradiction"):
            verdicts("m", ["entailment", "neutral", "unsure"])

    def test_each_topic_has_a_statement_and_the_user_may_write_another(self) -> None:
        written = statements((*TOPICS, "energy"), {"capex": "It is about money."})
        expected = (
            STATEMENTS["efficiency"],
            "It is about money.",
            STATEMENTS["geopolitics"],
            "This news is about energy.",
        )
        assert written == expected

    @pytest.mark.parametrize(
        ("problem", "labels", "expected"),
        [
            ("multi_label_classification", 3, True),
            ("single_label_classification", 3, False),
            (None, 3, False),
            (None, 1, True),
        ],
    )
    def test_labels_are_judged_one_by_one_where_the_model_says_so(
        self, problem: str | None, labels: int, expected: bool
    ) -> None:
        assert independent("m", ["x"] * labels, problem) is expected

    def test_a_regression_model_is_refused(self) -> None:
        with pytest.raises(ClassifierError, match="gives amounts, not labels"):
            independent("m", ["stars"], "regression")


class Hub(BaseHTTPRequestHandler):
    """Answers as huggingface.co does, as far as a download needs it; ``files`` maps models to their files."""

    files: Mapping[str, Mapping[str, bytes]] = {}
    asked: list[str]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        self.asked.append(path)
        for model, files in self.files.items():
            if path == f"/api/models/{model}/revision/main":
                listed = [{"rfilename": name} for name in files]
                return self._json({"_id": "1", "id": model, "sha": "a" * 40, "siblings": listed})
            if path.startswith(f"/api/models/{model}/tree/"):
                rows = [
                    {"type": "file", "path": n, "size": len(b), "oid": f"{i:040x}"}
                    for i, (n, b) in enumerate(files.items())
                ]
                return self._json(rows)
            name = path.removeprefix(f"/{model}/resolve/{'a' * 40}/")
            if name in files:
                return self._answer(200, files[name], ETag=f'"{name}"', **{"X-Repo-Commit": "a" * 40})
        return self._answer(404, b"", **{"X-Error-Code": "RepoNotFound"})

    do_HEAD = do_GET  # noqa: N815 - the base class's name

    def _json(self, value: Any) -> None:
        self._answer(200, json.dumps(value).encode(), **{"Content-Type": "application/json"})

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@pytest.fixture
def hub() -> Iterator[Callable[..., tuple[str, list[str]]]]:
    """Start hubs on loopback: returns their address, and the list of what they are asked."""
    servers = []

    def start(**files: Mapping[str, bytes]) -> tuple[str, list[str]]:
        asked: list[str] = []
        answers = type(
            "Answers", (Hub,), {"files": {f"org/{name}": held for name, held in files.items()}, "asked": asked}
        )
        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), answers))
        threading.Thread(target=servers[-1].serve_forever, args=[0.02], daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}", asked

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


class TestDownloading:
    FILES: Mapping[str, bytes] = {
        "config.json": b"{}",
        "model.safetensors": b"weights",
        "pytorch_model.bin": b"a pickle",
        "onnx/model.json": b"{}",
    }

    def test_it_takes_what_is_needed_once_and_then_asks_no_more(self, tmp_path: Path, hub: Any) -> None:
        address, asked = hub(tiny=self.FILES)
        folder = download("org/tiny", tmp_path, address)
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
            "config.json": b"{}",
            "model.safetensors": b"weights",
        }
        asked.clear()
        assert download("org/tiny", tmp_path, address) == folder
        assert asked == []

    def test_a_download_that_was_cut_short_is_completed(self, tmp_path: Path, hub: Any) -> None:
        address, _ = hub(tiny=self.FILES)
        (download("org/tiny", tmp_path, address) / "model.safetensors").unlink()
        assert (download("org/tiny", tmp_path, address) / "model.safetensors").read_bytes() == b"weights"

    def test_a_misspelt_name_is_called_one(self, tmp_path: Path, hub: Any) -> None:
        address, _ = hub(tiny=self.FILES)
        with pytest.raises(ClassifierError, match="no folder org/tinny, and Hugging Face has no model of that name"):
            download("org/tinny", tmp_path, address)

    def test_without_a_network_it_says_that_the_model_is_not_here(self, tmp_path: Path, hub: Any) -> None:
        address, _ = hub()
        nobody = address.rsplit(":", 1)[0] + ":9"  # the discard port: nobody listens
        with pytest.raises(
            ClassifierError, match=r"The model org/tiny is not on this machine and cannot be downloaded"
        ):
            download("org/tiny", tmp_path, nobody)
