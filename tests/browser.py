#!/usr/bin/env python3
"""browser.py FILE.html...|--cairn CAIRN [--shots DIR]: opens pages in headless Chromium, at 360 and 1280 pixels, light and dark.

A page fails with anything in its console (errors, warnings, what is blocked), with a request for anything but itself, where it is
wider than the window, or where a picture is broken. With --cairn the pages are reports and a comparison that the program makes. --shots
writes NAME-WIDTH-SCHEME.png of each, whole, and prints the page as NAME.pdf. The DevTools protocol is spoken over pipes, with the standard library alone. 77: there is no Chromium.
"""
import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile

WIDTHS = {360: 740, 1280: 900}
SCHEMES = ("light", "dark")
# What of the page is too wide: elements that reach beyond the window, but not those within a box that scrolls.
LOOK = """(() => {
  const wide = [];
  const root = document.documentElement, most = root.clientWidth + 0.5;
  for (const e of document.body.querySelectorAll('*')) {
    if (e.closest('.scroll, pre, svg') && !e.matches('.scroll, pre')) continue;
    const box = e.getBoundingClientRect();
    if (box.right > most && box.width > 0) wide.push(e.tagName + '.' + e.className + ' to ' + Math.round(box.right));
  }
  const broken = [...document.images].filter(i => !i.complete || i.naturalWidth === 0).length;
  return JSON.stringify({width: root.clientWidth, scroll: root.scrollWidth, height: root.scrollHeight, wide: wide.slice(0, 5), broken,
                         background: getComputedStyle(document.body).backgroundColor});
})()"""


class Browser:
    """One process; commands go to descriptor 3, answers and events come from 4, each ended by a 0 byte."""

    def __init__(self, program, profile):
        to_read, self.to = os.pipe()
        self.back, back_write = os.pipe()

        def place():
            # The ends may lie on 3 and 4 themselves: they are moved away first.
            first, second = os.dup(to_read), os.dup(back_write)
            while min(first, second) <= 4:
                first, second = os.dup(first), os.dup(second)
            os.dup2(first, 3)
            os.dup2(second, 4)

        self.process = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run",
             "--disable-background-networking", "--remote-debugging-pipe", f"--user-data-dir={profile}", "about:blank"],
            preexec_fn=place, close_fds=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(back_write)
        self.number, self.rest, self.events, self.session = 0, b"", [], None

    def next(self):
        while b"\0" not in self.rest:
            more = os.read(self.back, 1 << 16)
            if not more:
                raise SystemExit("browser.py: Chromium ended")
            self.rest += more
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.next()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise SystemExit(f"browser.py: {method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def wait(self, method):
        for event in self.events:
            if event["method"] == method:
                return
        while True:
            event = self.next()
            self.events.append(event)
            if event.get("method") == method:
                return

    def open_tab(self):
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(domain + ".enable")

    def close(self):
        self.session = None
        self.call("Browser.close")
        self.process.wait()


def complaints(events, address):
    for event in events:
        params = event.get("params", {})
        if event["method"] == "Log.entryAdded":
            yield f"console: {params['entry']['level']}: {params['entry']['text']}"
        elif event["method"] == "Runtime.consoleAPICalled":
            yield f"console: {params['type']}: {[a.get('value') for a in params['args']]}"
        elif event["method"] == "Runtime.exceptionThrown":
            yield f"exception: {params['exceptionDetails']['text']}"
        elif event["method"] == "Network.requestWillBeSent":
            url = params["request"]["url"]
            if url.split("#")[0] != address and not url.startswith("data:"):
                yield f"asks for {url}"


def look(browser, path, width, scheme, shots):
    address = "file://" + os.path.abspath(path)
    browser.call("Emulation.setDeviceMetricsOverride", width=width, height=WIDTHS[width], deviceScaleFactor=1, mobile=width < 600)
    browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    browser.events = []
    browser.call("Page.navigate", url=address)
    browser.wait("Page.loadEventFired")
    seen = json.loads(browser.call("Runtime.evaluate", expression=LOOK)["result"]["value"])
    bad = list(complaints(browser.events, address))
    if seen["width"] != width or seen["scroll"] > width or seen["wide"]:
        bad.append(f"{seen['scroll']} pixels wide in a window of {width}: {seen['wide']}")
    if seen["broken"]:
        bad.append(f"{seen['broken']} broken pictures")
    if shots:
        name = os.path.splitext(os.path.basename(path))[0]
        clip = {"x": 0, "y": 0, "width": width, "height": seen["height"], "scale": 1}
        shot = browser.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        with open(os.path.join(shots, f"{name}-{width}-{scheme}.png"), "wb") as file:
            file.write(base64.b64decode(shot["data"]))
    return seen, bad


def print_page(browser, path, shots):
    name = os.path.splitext(os.path.basename(path))[0]
    pdf = browser.call("Page.printToPDF", printBackground=True, preferCSSPageSize=True)
    with open(os.path.join(shots, name + ".pdf"), "wb") as file:
        file.write(base64.b64decode(pdf["data"]))


def check_page(browser, path, shots):
    grounds, failed = {}, 0
    for width in WIDTHS:
        for scheme in SCHEMES:
            seen, bad = look(browser, path, width, scheme, shots)
            grounds[scheme] = seen["background"]
            failed += bool(bad)
            print(f"{path}  {width}  {scheme}: {'; '.join(bad) or 'good'}, {seen['height']} high")
    if grounds["light"] == grounds["dark"]:
        failed += 1
        print(f"{path}: light and dark have the same background: {grounds}")
    if shots:
        print_page(browser, path, shots)
    return failed


def make_pages(cairn, folder):
    """Pages by the program: reports of a run with all there is and of one with nothing but a recipe, and a comparison."""
    recipes = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "data", "recipes")
    run, paths = os.path.join(folder, "run"), [os.path.join(folder, name) for name in ("whole.html", "begun.html", "compared.html")]
    device = ["--device", "reference"]

    def call(*args):
        subprocess.run([cairn, *args], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    call("train", os.path.join(recipes, "glyphs-tiny.yaml"), *device, "--limit-train", "96", "--limit-test", "64", "--out", run)
    call("report", run, *device, "--profile", "--out", paths[0])
    for name in os.listdir(run):
        if name != "recipe.yaml":
            os.remove(os.path.join(run, name))
    call("report", run, *device, "--out", paths[1])
    call("compare", os.path.join(recipes, "glyphs-tiny.yaml"), "--devices", "reference,reference", "--steps", "2", "--html", paths[2])
    return paths


def main():
    args = sys.argv[1:]
    named = {name: args[args.index(name) + 1] for name in ("--shots", "--cairn") if name in args}
    shots, paths = named.get("--shots"), [a for a in args if a not in named and a not in named.values()]
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not program:
        print("browser.py: no Chromium here; skipped")
        return 77
    if shots:
        os.makedirs(shots, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        paths += make_pages(os.path.abspath(named["--cairn"]), work) if "--cairn" in named else []
        browser = Browser(program, os.path.join(work, "profile"))
        browser.open_tab()
        failed = sum(check_page(browser, path, shots) for path in paths)
        browser.close()
    return 2 if not paths else failed > 0


sys.exit(main())
