"""Teaches the encoder to give a German text the embedding of its English twin. Imports torch.

Multilingual distillation (Reimers & Gurevych 2020): the untouched English model is the teacher; the student, whose
vocabulary has German words, is to place both sides of a pair where the teacher places the English one. The loss is the
squared error plus a contrastive term, in which a text must be nearer to its own twin than to the rest of the batch
(Oord, Li & Vinyals 2018, InfoNCE).
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoModel

from monitor.training.dataset import reading_order
from monitor.training.network import mean_of_tokens, padded, rise_and_fall, token_ids

Tick = Callable[[], None]
Pair = tuple[str, str]  # German text, English text


@dataclass(frozen=True, slots=True)
class Lessons:
    """How long and how fast the student learns. ``sharpness`` multiplies the cosines of the contrastive term."""

    epochs: int = 6
    batch: int = 32
    learning_rate: float = 2e-4
    warm_up: float = 0.1
    max_length: int = 128
    sharpness: float = 20.0

    def steps(self, pairs: int) -> int:
        """Count the optimiser's steps over that many pairs."""
        return self.epochs * -(-pairs // self.batch)


def distilled(teacher: Path, student: Path, pairs: Sequence[Pair], lessons: Lessons, tick: Tick = lambda: None) -> Any:
    """Return the student's encoder after its lessons, on one thread; ``tick`` is called after every step."""
    torch.set_num_threads(1)
    torch.manual_seed(1)
    goals = embeddings(AutoModel.from_pretrained(teacher, local_files_only=True), teacher, [en for _, en in pairs])
    encoder = AutoModel.from_pretrained(student, attn_implementation="eager", local_files_only=True).train()
    german, english = (
        [token_ids(student, text, lessons.max_length) for text in side] for side in zip(*pairs, strict=True)
    )
    optimizer = torch.optim.AdamW(encoder.parameters(), lr=lessons.learning_rate, weight_decay=0.01, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rise_and_fall(lessons.steps(len(pairs)), lessons.warm_up))
    rng = random.Random(1)  # noqa: S311 - a repeatable shuffle, not a secret
    for _ in range(lessons.epochs):
        for batch in reading_order([len(ids) for ids in german], lessons.batch, rng):
            loss = sum(
                _loss(_pooled(encoder, [side[i] for i in batch]), goals[batch], lessons.sharpness)
                for side in (german, english)
            )
            optimizer.zero_grad()
            loss.backward()  # type: ignore[union-attr, unused-ignore]
            nn.utils.clip_grad_norm_(encoder.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            tick()
    return encoder.eval()


def embeddings(encoder: Any, tokenizer_folder: Path, texts: Sequence[str], max_length: int = 128) -> torch.Tensor:
    """Return the unit-length mean token vector of each text, shape (texts, dimensions)."""
    ids = [token_ids(tokenizer_folder, text, max_length) for text in texts]
    ranked = sorted(range(len(ids)), key=lambda i: len(ids[i]))
    rows: dict[int, torch.Tensor] = {}
    encoder.eval()
    with torch.no_grad():
        for start in range(0, len(ranked), 32):
            batch = ranked[start : start + 32]
            rows.update(zip(batch, _pooled(encoder, [ids[i] for i in batch]), strict=True))
    return torch.stack([rows[i] for i in range(len(ids))])


def _pooled(encoder: Any, texts: list[list[int]]) -> torch.Tensor:
    ids, mask = padded(texts)
    states = encoder(input_ids=ids, attention_mask=mask).last_hidden_state
    return nn.functional.normalize(mean_of_tokens(states, mask), dim=1)


def _loss(said: torch.Tensor, goals: torch.Tensor, sharpness: float) -> torch.Tensor:
    squared = (said - goals).square().sum(dim=1).mean()
    own = torch.arange(len(said))
    return squared + nn.functional.cross_entropy(sharpness * said @ goals.T, own)
