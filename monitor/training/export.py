"""From a fitted network to the file that ships: ONNX, its weights quantised to 8-bit integers."""

from pathlib import Path

import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import nn

from monitor.training.network import TopicNetwork


class _Probabilities(nn.Module):  # type: ignore[misc, unused-ignore] # torch is absent where the types are checked
    def __init__(self, network: TopicNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(self.network(input_ids, attention_mask))


def shift_bias(network: TopicNetwork, shifts: list[float]) -> None:
    """Add one logit shift per topic to the output bias, for good."""
    with torch.no_grad():
        network.head.bias += torch.tensor(shifts)


def export_onnx(network: TopicNetwork, path: Path) -> None:
    """Write the network with its sigmoid as one ONNX file; number of texts and their length stay free."""
    ids = torch.ones((2, 16), dtype=torch.int64)
    free = {0: torch.export.Dim("texts", min=1, max=4096), 1: torch.export.Dim("tokens", min=2, max=512)}
    torch.onnx.export(
        _Probabilities(network).eval(),
        (ids, torch.ones_like(ids)),
        path,
        input_names=["input_ids", "attention_mask"],
        output_names=["probabilities"],
        dynamic_shapes=(free, free),
        dynamo=True,
        external_data=False,
        opset_version=20,
        verbose=False,
    )


def quantise(source: Path, target: Path) -> None:
    """Quantise weights to int8 per channel; activations are scaled while running (dynamic quantisation).

    Seven bits are used, not eight (``reduce_range``): on processors without VNNI the 8-bit products overflow.
    """
    quantize_dynamic(source, target, weight_type=QuantType.QInt8, per_channel=True, reduce_range=True)
