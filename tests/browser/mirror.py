#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""mirror.py DIR SERVER: every link of a mirror leads to one of its files, or to the server.

Says what does not, and how many pages and links there were; exit 0 if all do.
"""
import pathlib
import sys
import urllib.parse
from html.parser import HTMLParser


class Links(HTMLParser):
    def __init__(self):
        super().__init__()
        self.links, self.ids, self.live = [], set(), False

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if name in ("href", "src", "action"):
                self.links.append((name, value))
            elif name == "id":
                self.ids.add(value)
            elif name == "data-live":
                self.live = True


def trouble(root, file, page, server):
    if page.live:
        yield "refreshes itself"
    for name, value in page.links:
        if value.startswith(server):
            continue
        url = urllib.parse.urlsplit(value)
        if url.scheme or url.netloc or value.startswith("/") or name == "action":
            yield f"{name} leads elsewhere: {value}"
            continue
        if not url.path:
            continue
        to = (file.parent / urllib.parse.unquote(url.path)).resolve()
        if root not in to.parents or not to.is_file():
            yield f"{name} leads nowhere: {value}"


def main(folder, server):
    root = pathlib.Path(folder).resolve()
    pages = links = bad = 0
    for file in sorted(root.rglob("*.html")):
        page = Links()
        page.feed(file.read_text(encoding="utf-8"))
        pages += 1
        links += len(page.links)
        for what in trouble(root, file, page, server):
            bad += 1
            print(f"{file.relative_to(root)}: {what}")
    print(f"{pages} pages, {links} links, {bad} bad")
    return 0 if pages and links and not bad else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
