"""Fitting the network to labelled items: the training loop."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from monitor.signals.text import model_text
from monitor.training.dataset import TOPICS, Example, reading_order
from monitor.training.distil import embeddings
from monitor.training.network import TopicNetwork, fresh_network, padded, rise_and_fall, token_ids, tokenizer_of

Tick = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the network is fitted. ``base`` is the folder of the pretrained model.

    ``head_rate`` is the learning rate of the output layers, which start from nothing and have further to go;
    ``warm_up`` is the share of all steps in which the learning rate rises; ``anchor`` is how much it costs (per unit of
    1 - cosine) to move an item's embedding away from where the pretrained model puts it; ``hidden_words`` is the share
    of tokens hidden at each reading, so that no single cue word becomes the topic; ``smoothing`` keeps goals that far
    from 0 and 1 (Szegedy et al. 2016), so that the network is not too sure of itself; ``max_length`` counts tokens.
    """

    base: Path
    epochs: int = 4
    batch: int = 16
    learning_rate: float = 1e-4
    head_rate: float = 3e-3
    weight_decay: float = 0.01
    warm_up: float = 0.1
    anchor: float = 0.3
    hidden_words: float = 0.1
    smoothing: float = 0.03
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
    network = fresh_network(recipe.base, len(TOPICS))
    anchors = embeddings(network.encoder, recipe.base, _texts(examples), recipe.max_length)
    network.train()
    optimizer = _optimizer(network, recipe)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rise_and_fall(recipe.steps(len(examples)), recipe.warm_up))
    texts, goals = _inputs(recipe, examples)
    goals = goals * (1 - 2 * recipe.smoothing) + recipe.smoothing
    mask_id = tokenizer_of(recipe.base).mask_token_id
    rng = random.Random(seed)  # noqa: S311 - a repeatable shuffle, not a secret
    for _ in range(recipe.epochs):
        for batch in reading_order([len(ids) for ids in texts], recipe.batch, rng):
            inputs = _with_hidden_words(padded([texts[i] for i in batch]), mask_id, recipe.hidden_words)
            loss = _loss(network, inputs, goals[batch], anchors[batch], recipe.anchor)
            _step(network, optimizer, loss)
            schedule.step()
            tick()
    network.eval()
    return network


def _with_hidden_words(
    inputs: tuple[torch.Tensor, torch.Tensor], mask_id: int, share: float
) -> tuple[torch.Tensor, torch.Tensor]:
    ids, mask = inputs
    hidden = (torch.rand(ids.shape) < share) & (mask == 1)
    hidden[:, 0] = False  # the token that begins every text
    return ids.masked_fill(hidden, mask_id), mask


def _texts(examples: Sequence[Example]) -> list[str]:
    return [model_text(example.title, example.summary) for example in examples]


def _inputs(recipe: Recipe, examples: Sequence[Example]) -> tuple[list[list[int]], torch.Tensor]:
    ids = [token_ids(recipe.base, text, recipe.max_length) for text in _texts(examples)]
    return ids, torch.tensor([[float(topic in example.topics) for topic in TOPICS] for example in examples])


def _optimizer(network: TopicNetwork, recipe: Recipe) -> Any:
    groups = (
        {"params": list(network.encoder.parameters()), "lr": recipe.learning_rate},
        {"params": [*network.attention.parameters(), *network.head.parameters()], "lr": recipe.head_rate},
    )
    return torch.optim.AdamW(groups, weight_decay=recipe.weight_decay, fused=True)


def _loss(
    network: TopicNetwork,
    inputs: tuple[torch.Tensor, torch.Tensor],
    goals: torch.Tensor,
    anchors: torch.Tensor,
    anchor: float,
) -> torch.Tensor:
    said, _, means = network(*inputs)
    moved = 1 - nn.functional.cosine_similarity(means, anchors).mean()
    return nn.functional.binary_cross_entropy_with_logits(said, goals) + anchor * moved


def _step(network: TopicNetwork, optimizer: Any, loss: torch.Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()
