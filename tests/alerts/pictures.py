"""Writes every sample alert as pages to look at, and as pictures where there is a Chromium.

    python -m tests.alerts.pictures FOLDER [HEIGHT]

Each alert becomes a mail (light and dark, on a desk and on a telephone), a text, and a page that looks about as Slack
shows its blocks.
"""

import json
import re
import shutil
import subprocess
import sys
from html import escape
from pathlib import Path
from typing import Any

from monitor.alerts.render.email import html
from monitor.alerts.render.slack import payload
from monitor.alerts.render.text import text
from tests.alerts.gallery import ALERTS

WIDTHS = (700, 380)
HEIGHT = 1150
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
LOOKS = """
body { margin: 0; padding: 16px 20px; background: #fff; color: #1d1c1d; font: 15px/22px Lato, 'Helvetica Neue', Arial, sans-serif; }
h1 { font-size: 18px; line-height: 24px; margin: 0 0 4px; } .context { font-size: 12px; line-height: 18px; color: #616061; margin: 4px 0; }
.section { margin: 8px 0; white-space: pre-wrap; } hr { border: 0; border-top: 1px solid #ddd; margin: 12px 0; }
a { color: #1264a3; text-decoration: none; } code { font: 12px/18px Menlo, Consolas, 'DejaVu Sans Mono', monospace; color: #c01343; background: #f6f6f6; border: 1px solid #ddd; border-radius: 3px; padding: 1px 3px; }
pre { font: 12px/18px Menlo, Consolas, 'DejaVu Sans Mono', monospace; background: #f6f6f6; border: 1px solid #ddd; border-radius: 4px; padding: 8px; margin: 4px 0; overflow: auto; }
.button { display: inline-block; border: 1px solid #bbb; border-radius: 4px; padding: 3px 12px; margin: 4px 8px 4px 0; font-size: 13px; font-weight: 700; color: #1d1c1d; }
"""  # noqa: E501 - a style sheet


def slack_page(blocks: list[dict[str, Any]]) -> str:
    """Return a page that shows blocks about as Slack does."""
    return f"<!DOCTYPE html><meta charset=utf-8><style>{LOOKS}</style>" + "".join(map(_block, blocks))


def _block(block: dict[str, Any]) -> str:
    match block["type"]:
        case "header":
            return f"<h1>{escape(block['text']['text'])}</h1>"
        case "section":
            return f"<div class=section>{_mrkdwn(block['text']['text'])}</div>"
        case "context":
            return f"<div class=context>{'<br>'.join(_mrkdwn(one['text']) for one in block['elements'])}</div>"
        case "actions":
            buttons = (f"<span class=button>{escape(one['text']['text'])}</span>" for one in block["elements"])
            return f"<div>{''.join(buttons)}</div>"
    return "<hr>"


def _mrkdwn(words: str) -> str:
    """Show mrkdwn; its escapes for &, < and > are HTML's too."""
    shown = re.sub(r"<([^|>]+)\|([^>]*)>", r'<a href="\1">\2</a>', words)
    shown = re.sub(r"```\n?(.*?)\n?```", r"<pre>\1</pre>", shown, flags=re.DOTALL)
    shown = re.sub(r"`([^`\n]+)`", r"<code>\1</code>", shown)
    shown = re.sub(r"\*([^*\n]+)\*", r"<b>\1</b>", shown)
    return shown.replace("</pre>\n", "</pre>").replace("\n", "<br>")


def write(folder: Path) -> list[Path]:
    """Write the pages of every alert; return those of which pictures are taken."""
    folder.mkdir(parents=True, exist_ok=True)
    pages = []
    for name, build in ALERTS.items():
        raised = build()
        body = payload(raised)
        (folder / f"{name}.txt").write_text(text(raised), encoding="utf-8")
        (folder / f"{name}.slack.json").write_text(json.dumps(body, indent=1, ensure_ascii=False), encoding="utf-8")
        pages += [folder / f"{name}.html", folder / f"{name}.slack.html"]
        pages[-2].write_text(html(raised), encoding="utf-8")
        pages[-1].write_text(slack_page(body["blocks"]), encoding="utf-8")
    return pages


def photograph(browser: str, page: Path, width: int, height: int, *, dark: bool) -> None:
    """Take a picture of a page beside it."""
    target = page.with_suffix(f".{width}{'.dark' if dark else ''}.png")
    options = ["--headless=new", "--no-sandbox", "--hide-scrollbars", f"--window-size={width},{height}"]
    colours = ["--blink-settings=preferredColorScheme=0"] if dark else []
    subprocess.run(
        [browser, *options, *colours, f"--screenshot={target}", page.absolute().as_uri()],
        check=True,
        capture_output=True,
        timeout=60,
    )


def main(folder: Path, height: int = HEIGHT) -> None:
    """Write pages, and pictures where a browser is found."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    for page in write(folder):
        for width in WIDTHS if browser else ():
            photograph(browser or "", page, width, height, dark=False)
        if browser and ".slack" not in page.name:
            photograph(browser, page, WIDTHS[0], height, dark=True)
    print(f"{folder}: {len(ALERTS)} alerts", "" if browser else "(no Chromium, so no pictures)")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
