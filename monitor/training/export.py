"""From a fitted network to the file that ships: ONNX, written node by node, with 8-bit weights and products.

The graph is written here, not traced from torch, because what it costs is decided by which of onnxruntime's operators
it is made of: one for the whole attention, and one for each 8-bit product together with its scaling and its bias.

How 8 bits are made enough, without looking at an item's neighbours:

- every product has a fixed scale for what goes in, taken from samples (static quantisation), so that a text's result
  depends on that text alone;
- the few dimensions with very large values are scaled down, their weights up (SmoothQuant, Xiao et al. 2023);
- weights are rounded one input after the other, and what a rounding loses is made up for by the inputs not yet rounded
  (GPTQ, Frantar et al. 2023);
- two neighbouring weights never add up to more than 128, because processors without VNNI add two products of theirs in
  16 bits. Thus all processors compute the same.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from monitor.training.network import TopicNetwork

Array: TypeAlias = npt.NDArray[Any]

OUTPUTS = ("logits", "shares", "sentence_embedding")
SMOOTHING = 0.75
"""How much of an input's spread goes over to the weights, 0 to 1; measured: 0.5 and 1 lose more."""
_MICROSOFT = "com.microsoft"
_OWN_OPERATORS = ("MatMulIntegerToFloat", "MultiHeadAttention")
_OPSET, _IR_VERSION = 20, 10
_FAR = 1e4  # what hides padding from a softmax


class _Graph:
    """An ONNX graph under construction; ``add`` and ``constant`` return the name of what they made."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: dict[str, Array] = {}

    def add(self, kind: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        """Add an operator with one output, which is named like it."""
        name = name or f"{kind}{len(self.nodes)}"
        domain = _MICROSOFT if kind in _OWN_OPERATORS else ""
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, domain=domain, **attributes))
        return name

    def constant(self, name: str, value: npt.ArrayLike) -> str:
        """Keep a value under that name."""
        self.constants[name] = np.asarray(value)
        return name

    def model(self, topics: int, dimensions: int, watched: Sequence[str] = ()) -> Any:
        """Return the model; ``watched`` values are given out as well, for looking inside."""
        free = {"input_ids": ["texts", "tokens"], "attention_mask": ["texts", "tokens"]}
        shapes = (["texts", topics], ["texts", "tokens", topics], ["texts", dimensions])
        given = [helper.make_tensor_value_info(name, TensorProto.INT64, shape) for name, shape in free.items()]
        told = [
            helper.make_tensor_value_info(*one) for one in zip(OUTPUTS, [TensorProto.FLOAT] * 3, shapes, strict=True)
        ]
        told += [helper.make_empty_tensor_value_info(name) for name in watched]
        constants = [numpy_helper.from_array(value, name) for name, value in self.constants.items()]
        opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid(_MICROSOFT, 1)]
        graph = helper.make_graph(self.nodes, "topics", given, told, constants)
        return helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION)


_Dense: TypeAlias = Callable[[_Graph, str, str, Array, Array], str]
"""Adds a dense layer: graph, the layer's name, its input's name, weights (inputs, outputs), bias."""


def export_onnx(network: "TopicNetwork", path: Path) -> None:
    """Write the network as one ONNX file of 32-bit numbers; number of texts and their length stay free.

    Outputs: logits (texts, topics), the tokens' shares in them (texts, tokens, topics), embeddings of unit length.
    """
    onnx.save(_written(network, _float_dense), path)


def export_quantised(network: "TopicNetwork", path: Path, samples: Sequence[Sequence[int]]) -> None:
    """Write the network with 8-bit weights and products. ``samples`` are the token ids of some 250 usual texts.

    Takes a minute and about 3 MB of memory for each sample; half as many samples lose a little more.
    """
    onnx.save(_written(network, _Int8Dense(_inputs_of_layers(network, samples)), _int8_words), path)


def _written(network: "TopicNetwork", dense: _Dense, words: "_Words | None" = None, watched: Sequence[str] = ()) -> Any:
    state = {name: np.asarray(value.detach(), np.float32) for name, value in network.state_dict().items()}
    config, graph = network.encoder.config, _Graph()
    states = _embedded(graph, state, words or _float_words, config.layer_norm_eps)
    hidden = graph.add("Cast", "attention_mask", to=TensorProto.INT32)
    for layer in range(config.num_hidden_layers):
        block = _Block(graph, state, f"encoder.encoder.layer.{layer}.", dense, config.layer_norm_eps)
        states = block.after_feeding(block.after_attention(states, hidden, config.num_attention_heads))
    _answers(graph, state, states)
    return graph.model(len(state["head.bias"]), config.hidden_size, watched)


_Words: TypeAlias = Callable[[_Graph, Array], str]
"""Adds the look-up of the tokens' vectors in a table (words, dimensions)."""


def _float_words(graph: _Graph, table: Array) -> str:
    return graph.add("Gather", graph.constant("words", table), "input_ids")


def _int8_words(graph: _Graph, table: Array) -> str:
    """Each word's vector has a scale of its own."""
    scales = np.maximum(np.abs(table).max(axis=1, keepdims=True), 1e-9) / 127
    whole = graph.add("Gather", graph.constant("words", np.rint(table / scales).astype(np.int8)), "input_ids")
    scale = graph.add("Gather", graph.constant("words.scale", scales), "input_ids")
    return graph.add("Mul", graph.add("Cast", whole, to=TensorProto.FLOAT), scale)


def _embedded(graph: _Graph, state: Mapping[str, Array], words: _Words, epsilon: float) -> str:
    prefix = "encoder.embeddings."
    places = state[f"{prefix}position_embeddings.weight"] + state[f"{prefix}token_type_embeddings.weight"][0]
    length = graph.add("Shape", "input_ids", start=1, end=2)
    used = graph.add("Slice", graph.constant("places", places), graph.constant("start", np.zeros(1, np.int64)), length)
    summed = graph.add("Add", words(graph, state[f"{prefix}word_embeddings.weight"]), used)
    return _normalised(graph, state, f"{prefix}LayerNorm", summed, epsilon)


def _normalised(graph: _Graph, state: Mapping[str, Array], key: str, values: str, epsilon: float) -> str:
    weight = graph.constant(f"{key}.weight", state[f"{key}.weight"])
    bias = graph.constant(f"{key}.bias", state[f"{key}.bias"])
    return graph.add("LayerNormalization", values, weight, bias, epsilon=epsilon, axis=-1)


class _Block:
    """One layer of the transformer; sum and norm stay apart, for the fused operator takes three times as long."""

    def __init__(self, graph: _Graph, state: Mapping[str, Array], prefix: str, dense: _Dense, epsilon: float) -> None:
        self._graph, self._state, self._prefix = graph, state, prefix
        self._write, self._epsilon = dense, epsilon

    def after_attention(self, states: str, mask: str, heads: int) -> str:
        asked = [self._dense(f"attention.self.{part}", states) for part in ("query", "key", "value")]
        context = self._graph.add("MultiHeadAttention", *asked, "", mask, num_heads=heads)
        return self._added(states, self._dense("attention.output.dense", context), "attention.output.LayerNorm")

    def after_feeding(self, states: str) -> str:
        wide = self._graph.add("Gelu", self._dense("intermediate.dense", states))
        return self._added(states, self._dense("output.dense", wide), "output.LayerNorm")

    def _dense(self, part: str, values: str) -> str:
        key = self._prefix + part
        weight, bias = self._state[f"{key}.weight"].T, self._state[f"{key}.bias"]
        return self._write(self._graph, key, values, weight, bias)

    def _added(self, before: str, new: str, norm: str) -> str:
        summed = self._graph.add("Add", before, new)
        return _normalised(self._graph, self._state, self._prefix + norm, summed, self._epsilon)


def _answers(graph: _Graph, state: Mapping[str, Array], states: str) -> None:
    """Add the outputs, as TopicNetwork.forward computes them."""
    looks = graph.add("MatMul", states, graph.constant("attention", state["attention.weight"].T))
    votes = graph.add("MatMul", states, graph.constant("head", state["head.weight"].T))
    last, tokens = graph.constant("last", np.array([2])), graph.constant("tokens", np.array([1]))
    mask = graph.add("Unsqueeze", graph.add("Cast", "attention_mask", to=TensorProto.FLOAT), last)
    away = graph.add("Mul", graph.add("Sub", mask, _number(graph, 1.0)), _number(graph, _FAR))
    looks = graph.add("Softmax", graph.add("Add", looks, away), axis=1)
    shares = graph.add("Mul", looks, votes, name="shares")
    summed = graph.add("ReduceSum", shares, tokens, keepdims=0)
    graph.add("Add", summed, graph.constant("head.bias", state["head.bias"]), name="logits")
    total = graph.add("ReduceSum", graph.add("Mul", states, mask), tokens, keepdims=0)
    graph.add("LpNormalization", total, axis=-1, p=2, name="sentence_embedding")


def _number(graph: _Graph, value: float) -> str:
    return graph.constant(f"number {value:g}", np.float32(value))


def _float_dense(graph: _Graph, name: str, values: str, weight: Array, bias: Array) -> str:
    product = graph.add("MatMul", values, graph.constant(f"{name}.weight", weight))
    return graph.add("Add", product, graph.constant(f"{name}.bias", bias))


class _Int8Dense:
    """Adds 8-bit dense layers, given what goes into each (name → values of shape (tokens, inputs))."""

    def __init__(self, inputs: Mapping[str, Array]) -> None:
        self._inputs = inputs
        self._whole: dict[str, str] = {}  # a value that several layers read is made whole once

    def __call__(self, graph: _Graph, name: str, values: str, weight: Array, bias: Array) -> str:
        seen = self._inputs[name]
        spread = _spread(seen)
        scale, zero = _scale_and_zero(seen / spread)
        if values not in self._whole:
            smooth = graph.add("Mul", values, graph.constant(f"{values}.spread", 1 / spread))
            fixed = graph.constant(f"{values}.scale", scale), graph.constant(f"{values}.zero", zero)
            self._whole[values] = graph.add("QuantizeLinear", smooth, *fixed)
        scales, whole = rounded_weights(weight * spread[:, None], seen / spread)
        weights = graph.constant(f"{name}.weight", whole)
        scaling = f"{values}.scale", graph.constant(f"{name}.scale", scales), f"{values}.zero", ""
        offset = graph.constant(f"{name}.bias", bias)
        return graph.add("MatMulIntegerToFloat", self._whole[values], weights, *scaling, offset)


def _spread(seen: Array) -> Array:
    """Return by what each input dimension is divided, 1 on (geometric) average."""
    widest = np.maximum(np.abs(seen).max(axis=0), 1e-5) ** SMOOTHING
    spread: Array = (widest / np.exp(np.log(widest).mean())).astype(np.float32)
    return spread


def _scale_and_zero(seen: Array) -> tuple[np.float32, np.uint8]:
    low, high = min(float(seen.min()), 0.0), max(float(seen.max()), 0.0)
    scale = (high - low) / 255
    return np.float32(scale), np.uint8(round(-low / scale))


def rounded_weights(weight: Array, seen: Array) -> tuple[Array, Array]:
    """Return a scale per output (outputs,) and the weights in units of it, int8 (inputs, outputs).

    They are rounded so that the products with ``seen`` (tokens, inputs) change least (Frantar et al. 2023, GPTQ). Two
    neighbours (2n, 2n + 1) never add up to more than 128.
    """
    scales = _scales(weight)
    second = (seen.T @ seen).astype(np.float64)
    second[np.diag_indices_from(second)] += 0.01 * second.diagonal().mean()
    make_up = np.linalg.cholesky(np.linalg.inv(second)).T
    left, whole = weight / scales, np.zeros(weight.shape, np.int8)
    for k in range(len(left)):
        beside = whole[k - 1].astype(int) if k % 2 else 0
        whole[k] = np.clip(np.rint(left[k]), np.maximum(-127, -128 - beside), np.minimum(127, 128 - beside))
        left[k + 1 :] -= np.outer(make_up[k, k + 1 :] / make_up[k, k], left[k] - whole[k])
    return scales.astype(np.float32), whole


def _scales(weight: Array) -> Array:
    """Return per output the smallest scale by which no weight is over 127, no two neighbours' sum over 128."""
    pairs = np.abs(weight[0::2] + weight[1::2]).max(axis=0) / 128
    scales: Array = np.maximum(np.maximum(np.abs(weight).max(axis=0) / 127, pairs), 1e-9)
    return scales


def _inputs_of_layers(network: "TopicNetwork", samples: Sequence[Sequence[int]]) -> dict[str, Array]:
    """Run the samples one by one and return what goes into each dense layer: name → (tokens, inputs)."""
    names: dict[str, str] = {}

    def noting(graph: _Graph, name: str, values: str, weight: Array, bias: Array) -> str:
        names[name] = values
        return _float_dense(graph, name, values, weight, bias)

    _written(network, noting)
    watched = sorted(set(names.values()))
    model = _written(network, _float_dense, watched=watched)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    runs = [session.run(watched, _feed(ids)) for ids in samples]
    seen = {value: np.concatenate([run[place][0] for run in runs]) for place, value in enumerate(watched)}
    return {name: seen[value] for name, value in names.items()}


def _feed(ids: Sequence[int]) -> dict[str, Array]:
    row = np.array([ids], np.int64)
    return {"input_ids": row, "attention_mask": np.ones_like(row)}
