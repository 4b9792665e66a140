"""The amounts that a text names, alike in English and German: "$80bn", "80 Milliarden Dollar", "eighty billion". Pure.

An amount has a kind (money, percent, power ...; "number" where no unit follows) and a value: dollars or euros alike,
percent, megawatts. Dates, times of day and figures within names ("GPT-5", "H200") are none.
"""

import re
from dataclasses import dataclass

_NEAR = 0.03  # of the larger value: so far apart may two roundings of one amount be
_SCALES = {
    1e3: "thousand tausend tsd k",
    1e6: "million millions millionen mio mln mn m",
    1e9: "billion billions milliarde milliarden mrd bln bn b",
    1e12: "trillion trillions billionen trn tn t",
}
_UNITS = {
    "money": "dollars dollar euros euro usd eur franken francs yuan rmb yen won pfund pounds pound rupees cents cent",
    "percent": "percent prozentpunkte prozent pct %",
    "power": "megawatts megawatt gigawatts gigawatt kilowatt mw gw kw",
    "area": "hectares hektar acres",
    "people": "jobs stellen arbeitsplätze roles positions employees mitarbeiter people beschäftigte staff workers",
    "chips": "gpus gpu chips karten beschleuniger accelerators processors cards prozessoren grafikkarten",
    "parameters": "parameters parametern parameter params",
    "times": "times fold fach mal x",
}
_FACTORS = {"gw": 1e3, "gigawatt": 1e3, "gigawatts": 1e3, "kw": 1e-3, "kilowatt": 1e-3, "cent": 0.01, "cents": 0.01}
_WORDS = {
    0.5: "half halbe halben",
    1: "one eine einer ein",
    2: "two zwei",
    3: "three drei",
    4: "four vier",
    5: "five fünf",
    6: "six sechs",
    7: "seven sieben",
    8: "eight acht",
    9: "nine neun",
    10: "ten zehn",
    11: "eleven elf",
    12: "twelve zwölf",
    15: "fifteen fünfzehn",
    20: "twenty zwanzig",
    30: "thirty dreißig",
    40: "forty vierzig",
    50: "fifty fünfzig",
    60: "sixty sechzig",
    70: "seventy siebzig",
    80: "eighty achtzig",
    90: "ninety neunzig",
    100: "hundred hundert",
}
_SCALE_OF = {name: scale for scale, names in _SCALES.items() for name in names.split()}
_UNIT_OF = {name: kind for kind, names in _UNITS.items() for name in names.split()}
_WORD_OF = {name: value for value, names in _WORDS.items() for name in names.split()}
_SHARES = {
    75: r"three[ -]quarters?|drei ?viertel",
    66.7: r"two[ -]thirds|zwei drittel",
    50: r"half(?! an?\b)|halves|halved|halving|halbiert|halbieren|hälfte|halb so",
    33.3: r"(?:a|one)[ -]third|ein(?:em)? drittel",
    25: r"(?:a|one) quarter of|ein(?:em)? viertel",
    20: r"(?:a|one)[ -]fifth|(?:ein )?fünftel",
    10: r"(?:a|one)[ -]tenth|(?:ein )?zehntel",
}
_SHARE = re.compile(
    rf"\b(?=[adefhotz])(?:{'|'.join(rf'(?P<p{n}>{names})' for n, names in enumerate(_SHARES.values()))})\b",
    re.IGNORECASE,
)


def _any_of(names: dict[str, float] | dict[str, str], shortest: int = 1) -> str:
    return "|".join(sorted((name for name in names if len(name) >= shortest), key=len, reverse=True))


_MONTHS = (
    r"(?:jan|feb|mar|apr|jun|jul|aug|sept?|oct|okt|nov|dec|dez)\b|"
    r"(?:januar|februar|march|märz|april|may|mai|june|juni|july|juli|august|septem|oktob|octo|novem|dezem|decem)\w*"
)
_DATE = re.compile(
    rf"\b(?=[jfmasond\d])(?:(?:{_MONTHS})\.?\s\d{{1,2}}\b|\d{{1,2}}\.?\s(?:{_MONTHS})|\d{{1,2}}\.\s?\d{{1,2}}\.)",
    re.IGNORECASE,
)
_AMOUNT = re.compile(
    rf"""(?<![\w:])(?<!\w[-.,/])
    (?P<currency>US\$|EUR\ ?|USD\ ?|[$€£¥])?\s?
    (?: (?P<figure>\d{{1,3}}(?:[.,'\u2019\u202f\u00a0]\d{{3}})+(?!\d)(?:[.,]\d+)? | \d+(?:[.,]\d+)?)
      | (?P<word>{_any_of(_WORD_OF)})\b(?:\ an?\b)? )
    (?: [\s-]?(?P<half>halbe)\b )?
    (?: [\s-]?(?P<scale>{_any_of(_SCALE_OF, 2)})\b\.? | (?P<letter>[kmbt])\b )?
    (?: [\s-]?(?P<unit>{_any_of(_UNIT_OF)})(?!\w) )?
    (?![\w:])""",
    re.IGNORECASE | re.VERBOSE,
)
_GROUPED = re.compile(r"(\d{1,3})([.,])(\d{3})")
_YEARS = range(1985, 2041)
_SMALL = 12  # numbers up to here are in many texts by chance


@dataclass(frozen=True, slots=True)
class Amount:
    """One amount: its kind and value."""

    kind: str
    value: float

    @property
    def weight(self) -> float:
        """How much it tells that another text names it too (0 to 1): "$23.25bn" tells more than "100" or "3"."""
        digits = len(f"{self.value:.3e}".partition("e")[0].replace(".", "").rstrip("0"))
        weight = (0.35, 0.8, 1.0, 1.0)[digits - 1]
        return 0.4 * weight if self.kind == "number" and self.value <= _SMALL else weight


def amounts(text: str, lang: str | None) -> frozenset[Amount]:
    """Return the amounts in a text. ``lang`` decides what "1.500" and "Billion" mean where the text itself does not."""
    german = lang is not None and lang.startswith("de")
    undated = _DATE.sub(" ", text)
    found = {amount for match in _AMOUNT.finditer(undated) if (amount := _amount(match, german)) is not None}
    shares = list(_SHARES)
    told = {Amount("percent", shares[int(str(match.lastgroup)[1:])]) for match in _SHARE.finditer(text)}
    return frozenset(found | told)


def shared(ours: frozenset[Amount], theirs: frozenset[Amount]) -> float:
    """Return the summed weight of the amounts that both name, each counted once; rounded ones count half."""
    pairs = [(_sameness(one, other), one, other) for one in ours for other in theirs]
    used: set[tuple[bool, Amount]] = set()
    total = 0.0
    for sameness, one, other in sorted(pairs, key=lambda pair: (-pair[0], pair[1].value, pair[2].value)):
        if sameness > 0 and not used & {(True, one), (False, other)}:
            used |= {(True, one), (False, other)}
            total += sameness
    return total


def contradicting(ours: frozenset[Amount], theirs: frozenset[Amount]) -> int:
    """Count the kinds of which both name amounts, but none the same."""
    kinds = {one.kind for one in ours} & {other.kind for other in theirs} - {"number"}
    return sum(
        not any(_near(one, other) for one in ours for other in theirs if one.kind == other.kind == kind)
        for kind in kinds
    )


def _sameness(one: Amount, other: Amount) -> float:
    unlike = one.kind != other.kind
    if (unlike and "number" not in (one.kind, other.kind)) or not _near(one, other):
        return 0.0
    weight = min(one.weight, other.weight)
    return weight * (1.0 if one.value == other.value else 0.5) * (0.7 if unlike else 1.0)


def _near(one: Amount, other: Amount) -> bool:
    return abs(one.value - other.value) <= _NEAR * max(one.value, other.value)


def _amount(match: re.Match[str], german: bool) -> Amount | None:
    scale, unit = (match["scale"] or match["letter"] or "").lower(), (match["unit"] or "").lower()
    value = _WORD_OF.get(match["word"].lower(), 0) if match["word"] else _value(match["figure"], german)
    if match["word"] and not scale and (not unit or value <= 1):
        return None
    kind = "money" if match["currency"] else _UNIT_OF.get(unit, "number")
    value *= _scale(scale, german) * _FACTORS.get(unit, 1) * (0.5 if match["half"] else 1)
    if kind == "number" and (value <= 1 or value in _YEARS):
        return None
    return Amount(kind, value)


def _scale(name: str, german: bool) -> float:
    return 1e12 if german and name == "billion" else _SCALE_OF.get(name, 1)


def _value(figure: str, german: bool) -> float:
    """Read a figure: the last separator is a decimal one unless it parts three digits as the language does."""
    figure = re.sub("['\u2019\u202f\u00a0]", "", figure)
    for separator, other in (",.", ".,"):
        grouped = figure.count(separator) > 1 or -1 < figure.find(separator) < figure.find(other)
        figure = figure.replace(separator, "") if grouped else figure
    one = _GROUPED.fullmatch(figure)
    if one and (one[2] == ".") is german:
        figure = one[1] + one[3]
    return float(figure.replace(",", "."))
