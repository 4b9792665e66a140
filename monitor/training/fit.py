"""Fitting the network to labelled items: the training loop, and what a fitted network says of other items."""

import functools
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoTokenizer

from monitor.signals.text import model_text
from monitor.training.dataset import TOPICS, Example, reading_order
from monitor.training.network import TopicNetwork

Tick = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the network is fitted. ``base`` is the folder of the pretrained model.

    ``head_rate`` is the learning rate of the output layer, which starts from nothing and has further to go;
    ``warm_up`` is the share of all steps in which the learning rate rises; ``max_length`` counts tokens.
    """

    base: Path
    epochs: int = 4
    batch: int = 16
    learning_rate: float = 1e-4
    head_rate: float = 3e-3
    weight_decay: float = 0.01
    warm_up: float = 0.1
    max_length: int = 128

    def steps(self, examples: int) -> int:
        """Count the optimiser's steps over that many examples."""
        return self.epochs * -(-examples // self.batch)


def fitted(recipe: Recipe, examples: Sequence[Example], seed: int, tick: Tick = lambda: None) -> TopicNetwork:
    """Fit a fresh network on one thread (several times faster than two at this size, and repeatable).

    ``tick`` is called after each of ``recipe.steps(len(examples))`` steps.
    """
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    network = TopicNetwork(recipe.base, len(TOPICS))
    network.train()
    optimizer = _optimizer(network, recipe)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, _rise_and_fall(recipe.steps(len(examples)), recipe.warm_up))
    texts, goals = _inputs(recipe, examples)
    rng = random.Random(seed)  # noqa: S311 - a repeatable shuffle, not a secret
    for _ in range(recipe.epochs):
        for batch in reading_order([len(ids) for ids in texts], recipe.batch, rng):
            _step(network, optimizer, _padded([texts[i] for i in batch]), goals[batch])
            schedule.step()
            tick()
    network.eval()
    return network


def logits(recipe: Recipe, network: TopicNetwork, examples: Sequence[Example]) -> list[list[float]]:
    """Return the network's logits, one row per example, one column per topic."""
    texts, _ = _inputs(recipe, examples)
    ranked = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    rows: dict[int, list[float]] = {}
    with torch.no_grad():
        for start in range(0, len(ranked), recipe.batch):
            batch = ranked[start : start + recipe.batch]
            rows.update(zip(batch, network(*_padded([texts[i] for i in batch])).tolist(), strict=True))
    return [rows[i] for i in range(len(texts))]


@functools.cache
def tokenizer_of(base: Path) -> Any:
    """Return the tokenizer of the pretrained model in that folder."""
    tokenizer = AutoTokenizer.from_pretrained(base, local_files_only=True)
    tokenizer.backend_tokenizer.no_padding()  # the published one pads every text to 128 tokens
    return tokenizer


def _inputs(recipe: Recipe, examples: Sequence[Example]) -> tuple[list[list[int]], torch.Tensor]:
    texts = [model_text(example.title, example.summary) for example in examples]
    ids = tokenizer_of(recipe.base)(texts, truncation=True, max_length=recipe.max_length)["input_ids"]
    return ids, torch.tensor([[float(topic in example.topics) for topic in TOPICS] for example in examples])


def _padded(texts: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    width = max(map(len, texts))
    ids = torch.tensor([text + [0] * (width - len(text)) for text in texts])
    return ids, torch.tensor([[1] * len(text) + [0] * (width - len(text)) for text in texts])


def _optimizer(network: TopicNetwork, recipe: Recipe) -> Any:
    groups = (
        {"params": list(network.encoder.parameters()), "lr": recipe.learning_rate},
        {"params": list(network.head.parameters()), "lr": recipe.head_rate},
    )
    return torch.optim.AdamW(groups, weight_decay=recipe.weight_decay, fused=True)


def _step(
    network: TopicNetwork, optimizer: Any, inputs: tuple[torch.Tensor, torch.Tensor], goals: torch.Tensor
) -> None:
    loss = nn.functional.binary_cross_entropy_with_logits(network(*inputs), goals)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()


def _rise_and_fall(steps: int, warm_up: float) -> Callable[[int], float]:
    peak = max(1, round(steps * warm_up))
    return lambda step: min((step + 1) / peak, max(0.0, (steps - step) / max(1, steps - peak)))
