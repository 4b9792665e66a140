"""The network: a small BERT, the mean of its token vectors, one sigmoid output per topic. Imports torch."""

from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoModel


class TopicNetwork(nn.Module):  # type: ignore[misc, unused-ignore] # torch is absent where the types are checked
    """Maps token ids to one logit per topic.

    Mean pooling is how the base model was trained (Reimers & Gurevych 2019, Sentence-BERT). The head starts at zero,
    so that networks trained with different seeds share their origin and their weights can be averaged.
    """

    def __init__(self, base: Path, topics: int) -> None:
        super().__init__()
        self.encoder = AutoModel.from_pretrained(base, attn_implementation="eager", local_files_only=True)
        self.dropout = nn.Dropout(0.1)
        self.head = nn.Linear(self.encoder.config.hidden_size, topics)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Return logits of shape (texts, topics)."""
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        weights = attention_mask.unsqueeze(-1).to(states.dtype)
        mean = (states * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1.0)
        return self.head(self.dropout(mean))


def averaged(states: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the mean of several networks' weights (Wortsman et al. 2022, Model soups); integer buffers are kept."""
    first = states[0]
    return {
        name: torch.stack([state[name] for state in states]).mean(dim=0) if value.is_floating_point() else value
        for name, value in first.items()
    }
