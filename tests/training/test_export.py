"""The file that ships says what the network says, of every text by itself. Needs the extra ``train``."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx", reason="needs the extra `train`")
torch = pytest.importorskip("torch", reason="needs the extra `train`")

from monitor.training.export import export_onnx, export_quantised, rounded_weights  # noqa: E402 - after the skips
from monitor.training.network import TopicNetwork  # noqa: E402 - after the skips

WORDS, TOPICS = 500, 3


@pytest.fixture(scope="module")
def network() -> TopicNetwork:
    from transformers import BertConfig, BertModel

    torch.manual_seed(1)
    size: dict[str, Any] = {
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_attention_heads": 4,
        "num_hidden_layers": 2,
    }
    network = TopicNetwork(BertModel(BertConfig(vocab_size=WORDS, **size)), TOPICS)
    for parameter in (network.attention.weight, network.head.weight, network.head.bias):
        torch.nn.init.normal_(parameter)
    network.eval()
    return network


def texts(count: int) -> list[list[int]]:
    chance = np.random.default_rng(count)
    return [chance.integers(1, WORDS, length).tolist() for length in chance.integers(2, 40, count)]


def run(path: Path, rows: list[list[int]]) -> list[Any]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    ids, mask = padded(rows)
    told: list[Any] = session.run(None, {"input_ids": ids, "attention_mask": mask})
    return told


def padded(rows: list[list[int]]) -> tuple[Any, Any]:
    width = max(map(len, rows))
    ids = np.array([row + [0] * (width - len(row)) for row in rows], np.int64)
    return ids, np.array([[1] * len(row) + [0] * (width - len(row)) for row in rows], np.int64)


def test_the_float_file_says_what_torch_says(network: TopicNetwork, tmp_path: Path) -> None:
    export_onnx(network, tmp_path / "float.onnx")
    ids, mask = padded(texts(9))
    with torch.inference_mode():
        logits, shares, means = network(torch.tensor(ids), torch.tensor(mask))
        embeddings = torch.nn.functional.normalize(means, dim=1)
    told = run(tmp_path / "float.onnx", texts(9))
    for ours, theirs in zip(told, (logits, shares, embeddings), strict=True):
        np.testing.assert_allclose(ours, theirs.numpy(), atol=1e-4)


@pytest.fixture(scope="module")
def quantised(network: TopicNetwork, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("export") / "model.onnx"
    export_quantised(network, path, texts(100))
    return path


def test_eight_bits_say_nearly_the_same(network: TopicNetwork, quantised: Path) -> None:
    ids, mask = padded(texts(50))
    with torch.inference_mode():
        expected = network(torch.tensor(ids), torch.tensor(mask))[0].numpy()
    assert np.abs(run(quantised, texts(50))[0] - expected).mean() < 0.05 * expected.std()


def test_a_text_says_the_same_whatever_its_neighbours(quantised: Path) -> None:
    together = run(quantised, texts(20))[0]
    alone = np.concatenate([run(quantised, [text])[0] for text in texts(20)])
    np.testing.assert_allclose(together, alone, atol=1e-4)


def test_the_shares_and_a_constant_make_the_logits(network: TopicNetwork, quantised: Path) -> None:
    logits, shares, _ = run(quantised, texts(20))
    np.testing.assert_allclose(shares.sum(axis=1) + network.head.bias.detach().numpy(), logits, atol=1e-5)


def test_the_same_network_makes_the_same_file(network: TopicNetwork, quantised: Path, tmp_path: Path) -> None:
    export_quantised(network, tmp_path / "again.onnx", texts(100))
    assert (tmp_path / "again.onnx").read_bytes() == quantised.read_bytes()


def test_neighbouring_weights_never_overflow_and_rounding_makes_up_for_itself() -> None:
    chance = np.random.default_rng(0)
    weight = chance.standard_t(3, (64, 16)).astype(np.float32)
    seen = (chance.normal(size=(500, 8)) @ chance.normal(size=(8, 64)) + chance.normal(size=(500, 64))).astype("f4")
    scales, whole = rounded_weights(weight, seen)
    assert np.abs(whole[0::2].astype(int) + whole[1::2]).max() <= 128
    plainly = np.rint(weight / scales) * scales
    lost, plainly_lost = (np.linalg.norm(seen @ (one - weight)) for one in (whole * scales, plainly))
    assert lost < 0.8 * plainly_lost
