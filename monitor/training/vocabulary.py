"""Teaches the base model's vocabulary German words, so that it need not spell them letter by letter.

Each new word starts as the mean of the embeddings of its English translation's pieces (after Minixhofer, Paischer &
Rekabsaz 2022, WECHSEL). ``data/words-de-en.tsv`` holds the words and their translations, written for this project; a
word that begins with ``##`` is the later part of a compound. Imports torch.
"""

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModel, AutoTokenizer

from monitor.training.word_list import PART

_KEPT = ("config.json", "tokenizer_config.json", "special_tokens_map.json")


def with_german(base: Path, words: Sequence[tuple[str, str]], out: Path) -> int:
    """Write the model in ``base`` with the words added to ``out``. Returns the number of words it did not have."""
    out.mkdir(parents=True, exist_ok=True)
    tokenizer = AutoTokenizer.from_pretrained(base, local_files_only=True)
    model = AutoModel.from_pretrained(base, local_files_only=True)
    fresh = dict(_unknown(tokenizer, words))
    _write_tokenizer(base, list(fresh), out)
    rows = _embeddings(tokenizer, model, list(fresh.values()))
    model.resize_token_embeddings(len(tokenizer) + len(fresh), mean_resizing=False)
    with torch.no_grad():
        model.get_input_embeddings().weight[len(tokenizer) :] = rows
    model.save_pretrained(out)
    return len(fresh)


def _unknown(tokenizer: Any, words: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    known = tokenizer.get_vocab()
    normalize = tokenizer.backend_tokenizer.normalizer.normalize_str  # lower case, without accents, as texts will be
    for word, meaning in words:
        piece = PART * word.startswith(PART) + normalize(word.removeprefix(PART))
        if piece not in known:
            known[piece] = -1
            yield piece, meaning


def _embeddings(tokenizer: Any, model: Any, meanings: Sequence[str]) -> torch.Tensor:
    table = model.get_input_embeddings().weight.detach()
    pieces = (tokenizer(meaning, add_special_tokens=False)["input_ids"] for meaning in meanings)
    return torch.stack([table[ids].mean(dim=0) for ids in pieces])


def _write_tokenizer(base: Path, pieces: Sequence[str], out: Path) -> None:
    for name in _KEPT:
        shutil.copyfile(base / name, out / name)
    fields = json.loads((base / "tokenizer.json").read_text(encoding="utf-8"))
    vocabulary = fields["model"]["vocab"]
    vocabulary.update({piece: len(vocabulary) + place for place, piece in enumerate(pieces)})
    fields["padding"] = fields["truncation"] = None  # the published one pads every text to 128 tokens
    (out / "tokenizer.json").write_text(json.dumps(fields, ensure_ascii=False), encoding="utf-8")
