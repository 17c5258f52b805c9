"""A headless chromium, spoken to over its debugging pipe: one browser for all pages, no library, no port."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
    "--remote-debugging-pipe",
)  # fmt: skip
PIPES = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); os.execv(sys.argv[3], sys.argv[3:])"
)
"""The browser reads commands from file 3 and writes answers to file 4, each ended by a NUL."""


class Browser:
    """Opens pages, runs expressions in them, and gathers what the console and the page complained about.

    profile: a scratch folder. Raises TimeoutError where the browser does not answer within `patience` seconds.
    """

    def __init__(self, profile: Path, patience: float = 60.0) -> None:
        self.patience, self.events, self._last, self._buffer = patience, [], 0, b""
        to_read, self._write = os.pipe()
        self._read, to_write = os.pipe()
        ends = [os.dup(end) for end in (to_read, to_write)]
        while min(ends) < 5:  # out of the way of 3 and 4
            ends = [os.dup(end) for end in ends]
        command = [sys.executable, "-c", PIPES, *map(str, ends), str(CHROMIUM), *FLAGS, f"--user-data-dir={profile}"]
        self.process = subprocess.Popen(
            [*command, "about:blank"], pass_fds=ends, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for end in {to_read, to_write, *ends}:
            os.close(end)
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    session: str | None = None

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The answer to one command of the DevTools protocol."""
        self._last += 1
        message = {"id": self._last, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            found = self._next()
            if found.get("id") == self._last:
                if "error" in found:
                    raise RuntimeError(f"{method}: {found['error']}")
                return found["result"]
            self.events.append(found)

    def _next(self) -> dict[str, Any]:
        until = time.monotonic() + self.patience
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._read], [], [], max(0.0, until - time.monotonic()))
            part = os.read(self._read, 2**20) if ready else b""
            if not part:
                raise TimeoutError("the browser does not answer" if not ready else "the browser has ended")
            self._buffer += part
        message, self._buffer = self._buffer.split(b"\0", 1)
        return json.loads(message)

    def open(self, page: Path) -> None:
        """Loads a file and waits until it and its images are there; earlier complaints are forgotten."""
        self.events.clear()
        self.call("Page.navigate", url=page.resolve().as_uri())
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self._next())

    def run(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in found:
            raise RuntimeError(found["exceptionDetails"]["exception"].get("description", expression))
        return found["result"].get("value")

    def complaints(self) -> list[str]:
        """Errors and warnings of the console and of the page, dialogs, and whatever was fetched but files and data."""
        told = []
        for event in self.events:
            method, values = event.get("method", ""), event.get("params", {})
            if method == "Log.entryAdded" and values["entry"]["level"] in ("error", "warning"):
                told.append(values["entry"]["text"])
            elif method in ("Runtime.exceptionThrown", "Page.javascriptDialogOpening", "Network.loadingFailed"):
                told.append(f"{method}: {json.dumps(values)[:300]}")
            elif method == "Runtime.consoleAPICalled":
                told.append(f"console: {json.dumps(values['args'])[:300]}")
            elif method == "Network.requestWillBeSent" and not values["request"]["url"].startswith(("file:", "data:")):
                told.append(f"fetched {values['request']['url'][:200]}")
        return told

    def picture(self, file: Path, width: int = 1400, height: int = 2000) -> Path:
        """A screenshot of the top of the page as PNG."""
        import base64

        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        file.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))
        return file

    def close(self) -> None:
        """Ends the browser."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for end in (self._read, self._write):
            os.close(end)
