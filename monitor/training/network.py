"""The network: a small BERT that reads a text once and says three things of it. Imports torch.

- one logit per topic: each topic looks at the tokens with an attention of its own (Yang et al. 2016, Hierarchical
  Attention Networks), so that a decisive half-sentence is not averaged away;
- how much each token gave to each logit: the logit is their sum, exactly (Zhou et al. 2016, Class Activation Mapping);
- the mean of the token vectors, which says what the text is about whatever its topics, for comparing stories.
"""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoModel, AutoTokenizer


class TopicNetwork(nn.Module):  # type: ignore[misc, unused-ignore] # torch is absent where the types are checked
    """Maps token ids to topic logits, the tokens' shares in them, and an embedding.

    Head and attention start at zero (which makes it mean pooling, as the base model was trained: Reimers & Gurevych
    2019), so that networks trained with different seeds share their origin and their weights can be averaged.
    """

    def __init__(self, encoder: Any, topics: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(0.1)
        self.attention = nn.Linear(encoder.config.hidden_size, topics, bias=False)
        self.head = nn.Linear(encoder.config.hidden_size, topics)
        for parameter in (self.attention.weight, self.head.weight, self.head.bias):
            nn.init.zeros_(parameter)

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return logits (texts, topics), shares of the tokens (texts, tokens, topics), embeddings (texts, dimensions).

        Logits are the shares' sum over the tokens plus the head's bias; embeddings are not normalised.
        """
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        dropped = self.dropout(states)
        hidden = (attention_mask == 0).unsqueeze(-1)
        looks = self.attention(dropped).masked_fill(hidden, -1e4).softmax(dim=1)
        shares = looks * nn.functional.linear(dropped, self.head.weight)
        return shares.sum(dim=1) + self.head.bias, shares, mean_of_tokens(states, attention_mask)


def fresh_network(base: Path, topics: int) -> TopicNetwork:
    """Return a network on the pretrained encoder in ``base``."""
    encoder = AutoModel.from_pretrained(base, attn_implementation="eager", local_files_only=True)
    return TopicNetwork(encoder, topics)


def mean_of_tokens(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Average the token vectors (texts, tokens, dimensions) over the tokens that are not padding."""
    weights = mask.unsqueeze(-1).to(states.dtype)
    return (states * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1.0)


@functools.cache
def tokenizer_of(base: Path) -> Any:
    """Return the tokenizer of the pretrained model in that folder."""
    tokenizer = AutoTokenizer.from_pretrained(base, local_files_only=True)
    tokenizer.backend_tokenizer.no_padding()  # the published one pads every text to 128 tokens
    return tokenizer


def token_ids(base: Path, text: str, max_length: int) -> list[int]:
    """Return the ids of a text's first ``max_length`` tokens."""
    return list(tokenizer_of(base)(text, truncation=True, max_length=max_length)["input_ids"])


def padded(texts: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return token ids and mask of several texts, each of shape (texts, longest text's tokens)."""
    width = max(map(len, texts))
    ids = torch.tensor([text + [0] * (width - len(text)) for text in texts])
    return ids, torch.tensor([[1] * len(text) + [0] * (width - len(text)) for text in texts])


def rise_and_fall(steps: int, warm_up: float) -> Callable[[int], float]:
    """Return the learning rate's factor by step: up over the share ``warm_up`` of all steps, then down to zero."""
    peak = max(1, round(steps * warm_up))
    return lambda step: min((step + 1) / peak, max(0.0, (steps - step) / max(1, steps - peak)))


def averaged(states: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the mean of several networks' weights (Wortsman et al. 2022, Model soups); integer buffers are kept."""
    first = states[0]
    return {
        name: torch.stack([state[name] for state in states]).mean(dim=0) if value.is_floating_point() else value
        for name, value in first.items()
    }
