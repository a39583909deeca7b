"""One screenshot: `.venv/bin/python -m devtools.shot URL OUT.png --width 390 --dark --no-js`.

`--login EMAIL:PASSWORD` signs in first, at the same site.
"""

import argparse
from urllib.parse import urljoin

from playwright.sync_api import Page, sync_playwright

from devtools import browser

HEIGHT = 844


def main() -> None:
    options = _options()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser.find(), args=browser.FLAGS)
        page = chromium.new_context(
            viewport={"width": options.width, "height": HEIGHT},
            color_scheme="dark" if options.dark else "light",
            java_script_enabled=not options.no_js,
            locale=options.language,
        ).new_page()
        page.on("console", lambda line: print(f"console: {line.text}"))
        if options.login:
            sign_in(page, options.url, *options.login.split(":", 1))
        answer = page.goto(options.url, wait_until="load")
        page.wait_for_timeout(options.wait)
        page.screenshot(path=options.out, full_page=not options.viewport)
        wide = page.evaluate("document.documentElement.scrollWidth") if not options.no_js else 0
        print(f"{answer.status if answer else '?'} {page.title()!r} content {wide} px wide")
        chromium.close()


def sign_in(page: Page, site: str, email: str, password: str) -> None:
    page.goto(urljoin(site, "/accounts/login/"))
    page.fill("input[name=login]", email)
    page.fill("input[name=password]", password)
    with page.expect_navigation():
        page.press("input[name=password]", "Enter")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("out")
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--no-js", action="store_true")
    parser.add_argument("--viewport", action="store_true", help="not the whole length of the page")
    parser.add_argument("--language", default="en-US")
    parser.add_argument("--login", metavar="EMAIL:PASSWORD")
    parser.add_argument("--wait", type=int, default=300, metavar="MS", help="for charts to settle")
    return parser.parse_args()


if __name__ == "__main__":
    main()
