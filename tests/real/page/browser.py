"""Chromium by its DevTools protocol, over the websockets client that is locked anyway: no driver to install.

The protocol: https://chromedevtools.github.io/devtools-protocol/. One browser, fresh for each use, with a wav as the
microphone where one is given; it resolves no name but this machine's.
"""

from __future__ import annotations

import base64
import itertools
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

START_S = 30.0
ANSWER_S = 30.0
PHONE = (360, 740)
DESKTOP = (1280, 820)

Json = dict[str, Any]


class Page:
    """One tab. ``requests``: the URLs that it, and its service worker, have asked for; ``received``: bytes of them."""

    def __init__(self, connection: ClientConnection, numbers: Iterator[int], scale: int) -> None:
        self._connection = connection
        self._numbers = numbers
        self._scale = scale
        self._session: str | None = None
        self._context = ""
        self.requests: list[str] = []
        self.received = 0
        self.complaints: list[str] = []

    def begin(self) -> None:
        """Make the tab, with a storage of its own, and watch it."""
        self._context = self.call("Target.createBrowserContext")["browserContextId"]
        target = self.call("Target.createTarget", url="about:blank", browserContextId=self._context)["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        follow = {"autoAttach": True, "waitForDebuggerOnStart": True, "flatten": True}
        self.call("Target.setAutoAttach", **follow)

    def end(self) -> None:
        """The tab and all that was stored."""
        self._session = None
        self.call("Target.disposeBrowserContext", browserContextId=self._context)

    def call(self, method: str, **parameters: object) -> Json:
        """One command and its answer; what happens meanwhile is noted."""
        number = self._send(method, parameters, self._session)
        until = time.monotonic() + ANSWER_S
        while True:
            message = self._next(until)
            if message.get("id") == number:
                if "error" in message:
                    raise AssertionError(f"{method}: {message['error']}")
                answer: Json = message["result"]
                return answer

    def evaluate(self, script: str) -> Any:
        """The value of an expression, awaited."""
        done = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True, userGesture=True)
        if "exceptionDetails" in done:
            raise AssertionError(f"{script}: {done['exceptionDetails']}")
        return done["result"].get("value")

    def until(self, condition: str, timeout_s: float = 20.0) -> Any:
        """Until the expression is truthy, as the page itself sees it; its value."""
        wait = f"""new Promise((resolve) => {{
            const told = (value) => (Array.isArray(value) || typeof value !== 'object' ? value : Boolean(value));
            const ends = performance.now() + {timeout_s * 1000};
            const look = () => {{
                let value;
                try {{ value = ({condition}); }} catch (error) {{ value = null; }}
                if (value || performance.now() > ends) resolve(told(value));
                else setTimeout(look, 40);
            }};
            look();
        }})"""
        value = self.evaluate(wait)
        if not value:
            shown = self.evaluate("document.body.innerText.slice(0, 1500)")
            raise AssertionError(f"never: {condition}\nThe page shows:\n{shown}\nIt complains: {self.complaints}")
        return value

    def open(self, url: str, *, size: tuple[int, int] = DESKTOP, dark: bool = False) -> None:
        """Show a URL at that size and wait until it is loaded."""
        self.resize(size, dark=dark)
        self.call("Page.navigate", url=url)
        self.until("location.href !== 'about:blank' && document.readyState === 'complete'")

    def resize(self, size: tuple[int, int], *, dark: bool = False) -> None:
        """Of the window, and which colours the person prefers."""
        phone = size[0] < 600
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=size[0],
            height=size[1],
            deviceScaleFactor=self._scale,
            mobile=phone,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def on_every_page(self, script: str) -> None:
        """Run before the page's own scripts, from the next page on."""
        self.call("Page.addScriptToEvaluateOnNewDocument", source=script)

    def hold(self, selector: str) -> None:
        """The pointer goes down in the middle of the element and stays there."""
        self._pointer("mousePressed", selector)

    def let_go(self, selector: str) -> None:
        """And up."""
        self._pointer("mouseReleased", selector)

    def click(self, selector: str) -> None:
        """With the pointer, as a person does."""
        self.hold(selector)
        self.let_go(selector)

    def key(self, kind: str, key: str, code: str) -> None:
        """``kind``: keyDown or keyUp."""
        text = {"text": key} if len(key) == 1 and kind == "keyDown" else {}
        number = {"Enter": 13, "Escape": 27, "Tab": 9, " ": 32}.get(key, 0)
        if key == "Enter" and kind == "keyDown":
            text = {"text": "\r"}
        self.call("Input.dispatchKeyEvent", type=kind, key=key, code=code, windowsVirtualKeyCode=number, **text)

    def press(self, key: str) -> None:
        """Down and up."""
        self.key("keyDown", key, key)
        self.key("keyUp", key, key)

    def type(self, selector: str, words: str) -> None:
        """Into a field, then Enter."""
        self.evaluate(f"document.querySelector({json.dumps(selector)}).focus()")
        self.call("Input.insertText", text=words)
        self.press("Enter")

    def screenshot(self) -> bytes:
        """PNG of what is seen."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])

    def _pointer(self, kind: str, selector: str) -> None:
        x, y = self.until(
            f"""(() => {{
                const element = document.querySelector({json.dumps(selector)});
                element.scrollIntoView({{ block: "nearest" }});
                const {{ x, y, width, height }} = element.getBoundingClientRect();
                return width ? [x + width / 2, y + height / 2] : null;
            }})()"""
        )
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def _send(self, method: str, parameters: Json, session: str | None) -> int:
        number = next(self._numbers)
        message: Json = {"id": number, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        self._connection.send(json.dumps(message))
        return number

    def _next(self, until: float) -> Json:
        message: Json = json.loads(self._connection.recv(timeout=max(0.1, until - time.monotonic())))
        parameters = message.get("params", {})
        match message.get("method"):
            case "Network.requestWillBeSent":
                self.requests.append(parameters["request"]["url"])
            case "Network.loadingFinished":
                self.received += int(parameters["encodedDataLength"])
            case "Runtime.exceptionThrown":
                self.complaints.append(json.dumps(parameters["exceptionDetails"])[:500])
            case "Log.entryAdded" if parameters["entry"]["level"] == "error":
                self.complaints.append(f"{parameters['entry']['text']} {parameters['entry'].get('url', '')}")
            case "Target.attachedToTarget":  # the service worker: watched from its first request on
                session = parameters["sessionId"]
                self._send("Network.enable", {}, session)
                self._send("Runtime.runIfWaitingForDebugger", {}, session)
            case _:
                pass
        return message


class Browser:
    """One Chromium; what its tabs store is apart."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._numbers = itertools.count(1)

    @contextmanager
    def page(self, *, scale: int = 1) -> Iterator[Page]:
        """A tab; one at a time. ``scale``: pixels of a screenshot to one of the page."""
        page = Page(self._connection, self._numbers, scale)
        page.begin()
        try:
            yield page
        finally:
            page.end()

    def close(self) -> None:
        """It ends by itself then."""
        self._connection.send(json.dumps({"id": next(self._numbers), "method": "Browser.close"}))


@contextmanager
def browser(folder: Path, *, microphone: Path | None = None, allowed: bool = True) -> Iterator[Browser]:
    """A Chromium with a profile in that folder. ``microphone``: a wav that it hears, once, from when it is opened;
    ``allowed``: whether pages may have it. Fails where there is no Chromium."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.fail("There is no Chromium: `apt-get install chromium`, or `make test-real`.", pytrace=False)
    profile = folder / "chromium"
    arguments = [
        program,
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-default-apps",
        "--disable-extensions",
        "--disable-sync",
        "--no-first-run",
        "--no-default-browser-check",
        "--mute-audio",
        "--autoplay-policy=user-gesture-required",
        "--force-color-profile=srgb",
        "--host-resolver-rules=MAP house.test 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
        f"--user-data-dir={profile}",
        "--remote-debugging-port=0",
    ]
    if allowed:
        arguments += ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    else:
        arguments += ["--use-fake-device-for-media-stream", "--deny-permission-prompts"]
    if microphone is not None:
        arguments.append(f"--use-file-for-fake-audio-capture={microphone}%noloop")
    process = subprocess.Popen(
        [*arguments, "about:blank"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={**os.environ, "HOME": str(folder)},
    )
    try:
        with connect(_address(profile, process), max_size=None, open_timeout=START_S) as connection:
            opened = Browser(connection)
            try:
                yield opened
            finally:
                opened.close()
    finally:
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(5)


def _address(profile: Path, process: subprocess.Popen[bytes]) -> str:
    """Of the browser's own socket: it writes a file once it listens."""
    file = profile / "DevToolsActivePort"
    until = time.monotonic() + START_S
    while time.monotonic() < until and process.poll() is None:
        lines = file.read_text().splitlines() if file.exists() else []
        if len(lines) == 2:
            return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
        time.sleep(0.05)
    raise AssertionError(f"Chromium did not start (exit status {process.poll()}).")
