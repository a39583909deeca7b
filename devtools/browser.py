"""Find a Chromium, or as root on Debian install one, and drive it in networks that are closed."""

import os
import shutil
import subprocess
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MACOS = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
# libatomic1: Playwright's own driver needs it and Debian's chromium does not bring it.
PACKAGES = ["chromium", "libatomic1", "fonts-dejavu-core"]
FLAGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
]
HOW_TO = f"sudo apt-get install -y {' '.join(PACKAGES)}"


def find() -> str | None:
    """$CHROMIUM, else a browser on the PATH."""
    if given := os.environ.get("CHROMIUM"):
        return given
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    return found or (str(MACOS) if MACOS.exists() else None)


def find_or_install() -> str | None:
    found = find()
    if found or os.geteuid() != 0 or not shutil.which("apt-get"):
        return found
    print(f"No browser found: running apt-get install {' '.join(PACKAGES)}", flush=True)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-qq"], env=quiet, stdout=subprocess.DEVNULL)
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *PACKAGES]
    subprocess.run(install, env=quiet, stdout=subprocess.DEVNULL)
    return find()


def version(path: str) -> str:
    printed = subprocess.run([path, "--version"], capture_output=True, text=True).stdout
    return f"{printed.strip()} ({path})"
