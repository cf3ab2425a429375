# SPDX-License-Identifier: BSD-2-Clause
"""The report in a headless Chromium without a network: it shows what it should, and does what it should when clicked.

The page gets a script of the test's own, which acts and then leaves what it saw in the document that Chromium prints.
"""
import html
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]
BROWSER = shutil.which("chromium")
COMMAND = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
           "--proxy-server=127.0.0.1:9", "--virtual-time-budget=2000", "--window-size=1400,900", "--dump-dom"]


@pytest.fixture
def page(tree: Path, tessera: Run) -> str:
    """The report about guarded.yaml."""
    (tree / "build" / "bench.json").write_text(json.dumps(
        {"rows": {"null_syscall": {"min": 60, "median": 61, "max": 1234567, "unit": "instructions"}}}))
    done = tessera("report", "guarded.yaml", "--out", "report.html")
    assert (done.returncode, done.stdout) == (0, "report.html\n"), done.stderr
    return (tree / "report.html").read_text()


def in_browser(text: str, folder: Path, act: str) -> Any:
    """What the JavaScript expression gives, after the page has loaded; errors of the page end the test."""
    watch = "<script>window.faults = []; addEventListener('error', e => faults.push(e.message));" \
        "addEventListener('securitypolicyviolation', e => faults.push('policy: ' + e.violatedDirective));</script>"
    probe = f"<script>addEventListener('load', () => {{ const seen = (() => {{ {act} }})();" \
        "document.body.replaceChildren(Object.assign(document.createElement('pre'), {id: 'seen', " \
        "textContent: JSON.stringify({seen, faults})})); });</script>"
    (folder / "probe.html").write_text(text.replace("<head>", "<head>" + watch).replace("</body>", probe + "</body>"))
    assert BROWSER is not None
    address = (folder / "probe.html").as_uri()
    done = subprocess.run([BROWSER, *COMMAND, f"--user-data-dir={folder / 'profile'}", address], capture_output=True,
                          text=True, check=False, timeout=120)
    match = re.search(r'<pre id="seen">(.*?)</pre>', done.stdout, re.S)
    assert match, done.stdout[-2000:] + done.stderr[-2000:]
    result = json.loads(html.unescape(match[1]))
    assert result["faults"] == []
    return result["seen"]


def test_it_needs_nothing_else(page: str) -> None:
    inside = re.sub(r'(xmlns(:xlink)?="http://www.w3.org/[^"]*")|href="#[^"]*"', "", page)
    assert not re.search(r"https?://|src=|href=|@import|url\(", inside)
    assert "default-src 'none'" in page


def test_the_same_system_gives_the_same_page(page: str, tree: Path, tessera: Run) -> None:
    assert tessera("report", "guarded.yaml", "--out", "again.html").returncode == 0
    assert (tree / "again.html").read_text() == page


def test_text_of_the_manifest_stays_text(tree: Path, tessera: Run, tmp_path: Path) -> None:
    evil = "</script><img src=x onerror=alert(1)>"
    text = (tree / "full.yaml").read_text().replace("everything at once", f"'{evil}'")
    (tree / "full.yaml").write_text(text)
    assert tessera("report", "full.yaml", "--out", "report.html").returncode == 0
    page = (tree / "report.html").read_text()
    assert "<img" not in page and "&lt;img src=x" in page


def test_every_capability_has_a_reason(page: str, tree: Path, tessera: Run) -> None:
    match = re.search(r'<script type="application/json" id="facts">(.*?)</script>', page, re.S)
    assert match
    facts = json.loads(match[1])
    assert tessera("build", "guarded.yaml", "--no-image").returncode == 0
    plan = json.loads((tree / "build" / "guarded" / "plan.json").read_text())
    wanted = {i["name"]: [(c["slot"], c["type"], " ".join(c["rights"]).lower()) for c in i["capabilities"]]
              for i in plan["instances"] if i["name"] != "init"}
    shown = {i["name"]: [(c["slot"], c["type"], c["rights"]) for c in i["capabilities"]] for i in facts["instances"]}
    assert shown == wanted
    assert all(c["what"] and c["why"] and ":" in c["place"] for i in facts["instances"] for c in i["capabilities"])


def test_it_says_what_time_an_instance_gets(tree: Path, tessera: Run) -> None:
    text = (tree / "guarded.yaml").read_text()
    assert text.count("\ninstances:\n") == 1
    timed = "  timed: {component: apps/user, budget: {time: 2ms, period: 10ms}}\n"
    (tree / "timed.yaml").write_text(text.replace("\ninstances:\n", "\ninstances:\n" + timed))
    assert tessera("report", "timed.yaml", "--out", "report.html").returncode == 0
    match = re.search(r'<script type="application/json" id="facts">(.*?)</script>', (tree / "report.html").read_text())
    assert match
    settings = next(i["settings"] for i in json.loads(match[1])["instances"] if i["name"] == "timed")
    assert settings["budget"] == "2ms of 10ms, held to it by the kernel"


@pytest.mark.skipif(BROWSER is None, reason="there is no chromium: make setup")
class TestInTheBrowser:
    def test_a_click_shows_capabilities_and_reasons(self, page: str, tmp_path: Path) -> None:
        text = in_browser(page, tmp_path, """
            document.getElementById('instance-shell').dispatchEvent(new MouseEvent('click', {bubbles: true}));
            return {panel: document.getElementById('panel').textContent, hash: location.hash,
                    chosen: [...document.querySelectorAll('.selected')].map(e => e.id),
                    reached: [...document.querySelectorAll('.reached')].map(e => e.id).sort()};""")
        assert "connection supervision to guard.supervision, may kill" in text["panel"]
        assert "the manifest connects it" in text["panel"] and "guarded.yaml:14" in text["panel"]
        assert "component.yaml: system inspect, device" in text["panel"] and text["hash"] == "#shell"
        assert text["chosen"] == ["instance-shell"]
        assert text["reached"] == ["instance-echo", "instance-guard", "instance-log", "instance-serial"]

    def test_the_filter_dims_what_is_far(self, page: str, tmp_path: Path) -> None:
        seen = in_browser(page, tmp_path, """
            const box = document.getElementById('filter'); box.value = 'echo';
            box.dispatchEvent(new Event('input'));
            const hide = document.querySelector('[data-show=supervision]'); hide.checked = false;
            hide.dispatchEvent(new Event('change'));
            return {dim: [...document.querySelectorAll('.instance.dim')].map(e => e.id).sort(),
                    lines: [...document.querySelectorAll('.supervision')].every(e => e.classList.contains('hidden')),
                    count: document.querySelectorAll('.supervision').length};""")
        assert seen == {"dim": ["instance-guard", "instance-serial"], "lines": True, "count": 4}

    def test_wheel_zooms_drag_moves_fit_returns(self, page: str, tmp_path: Path) -> None:
        seen = in_browser(page, tmp_path, """
            const svg = document.querySelector('#picture svg');
            const now = () => svg.getAttribute('viewBox').split(' ').map(Number);
            const views = [now()];
            svg.dispatchEvent(new WheelEvent('wheel', {deltaY: -1, clientX: 100, clientY: 200, cancelable: true}));
            views.push(now());
            svg.dispatchEvent(new PointerEvent('pointermove', {buttons: 1, movementX: 30, movementY: 0}));
            views.push(now());
            document.getElementById('fit').click();
            views.push(now());
            return views;""")
        assert seen[1][2] == pytest.approx(seen[0][2] / 1.2) and seen[2][0] < seen[1][0] and seen[3] == seen[0]

    def test_tables_and_prices(self, page: str, tmp_path: Path) -> None:
        text = in_browser(page, tmp_path, "return document.getElementById('tables').textContent;")
        assert "null_syscall" in text and "1,234,567" in text and "Memory budgets" in text

    def test_bars_show_what_is_needed_of_each_budget(self, page: str, tmp_path: Path) -> None:
        seen = in_browser(page, tmp_path, """
            const wide = e => e.getBoundingClientRect().width;
            return facts.instances.map((i, n) => [i.memory.needed / i.memory.budget, (bar =>
                wide(bar.querySelector('.used')) / wide(bar))(document.querySelectorAll('.bar:not(.used)')[n])]);""")
        assert len(seen) == 5
        for share, drawn in seen:
            assert 0 < share < 1 and drawn == pytest.approx(share, abs=0.01)

    def test_an_address_chooses_the_instance(self, page: str, tmp_path: Path) -> None:
        jump = page.replace("<head>", "<head><script>history.replaceState(null, '', '#log');</script>")
        text = in_browser(jump, tmp_path, "return document.getElementById('panel').textContent;")
        assert text.startswith("log") and "port of log" in text and "Memory map" in text
