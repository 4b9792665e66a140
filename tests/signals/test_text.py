"""The model sees one line: title and summary as sentences."""

import pytest

from monitor.signals.text import model_text, readable


@pytest.mark.parametrize(
    ("title", "summary", "expected"),
    [
        pytest.param("Prices fall", "By half.", "Prices fall. By half.", id="title and summary become two sentences"),
        pytest.param("Prices fall?", "By half.", "Prices fall? By half.", id="a title that ends a sentence stays"),
        pytest.param("Prices fall", "", "Prices fall", id="a title alone gets no full stop"),
        pytest.param("", "By half.", "By half.", id="a summary alone is enough"),
        pytest.param("", "", "", id="nothing stays nothing"),
        pytest.param(" \n", "\t", "", id="blanks are nothing"),
        pytest.param("Prices\n fall ", "By\u00a0 half.", "Prices fall. By half.", id="blanks of any kind become one"),
        pytest.param("Prices fall", "Prices fall by half.", "Prices fall by half.", id="a repeated title is told once"),
        pytest.param("Preise fallen …", "Um 10 %.", "Preise fallen … Um 10 %.", id="an ellipsis ends a title"),
    ],
)
def test_model_text(title: str, summary: str, expected: str) -> None:
    assert model_text(title, summary) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("US tightens chip rules", True, id="English"),
        pytest.param("Größere Öfen für Łódź, straßenweise", True, id="letters with marks"),
        pytest.param("Nvidia 英伟达 earnings beat expectations", True, id="a foreign name among English words"),
        pytest.param("英伟达公布财报 AI", False, id="an abbreviation among Chinese words"),
        pytest.param("Новые правила", False, id="Cyrillic"),
        pytest.param("", False, id="empty"),
        pytest.param("12.5 % → 🚀", False, id="no letters"),
    ],
)
def test_readable(text: str, expected: bool) -> None:
    assert readable(text) is expected
