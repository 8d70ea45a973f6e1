#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""read_metrics.py FILE: Prometheus' text format 0.0.4, read strictly.

Says each family as "NAME TYPE SAMPLES"; the first thing that is wrong ends it with exit status 1.
Beyond the format: each family has a help and a type before its samples and stands in one place,
counters end with _total and nothing else does, units are base units, no sample comes twice, and the
samples of a family have the same labels (prometheus.io/docs/practices/naming).
"""
import re
import sys

NAME = re.compile(r"[a-z_][a-z0-9_]*")
LABEL = re.compile(r'([a-z_][a-z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"')
VALUE = re.compile(r"[-+]?(?:\d+(?:\.\d+)?(?:e[-+]?\d+)?|Inf)|NaN")
TYPES = ("gauge", "counter")
WRONG_UNITS = re.compile(r"_(milliseconds|ms|microseconds|us|minutes|hours|days|kb|kib|mb|mib|gib|percent)(_total)?$")
WRONG_ENDS = re.compile(r"_(count|sum|bucket|gauge|counter|info_total)$")


class Wrong(Exception):
    pass


class Reader:
    def __init__(self):
        self.help, self.type, self.labels, self.seen = {}, {}, {}, set()
        self.order, self.counts = [], {}

    def enter(self, name):
        """A family is what follows one another."""
        if not NAME.fullmatch(name):
            raise Wrong(f"'{name}' is not a name")
        if self.order and self.order[-1] == name:
            return
        if name in self.order:
            raise Wrong(f"{name} stands in two places")
        self.order.append(name)
        self.counts[name] = 0

    def comment(self, line):
        word, name, text = (line.split(" ", 3)[1:] + [""])[:3]
        self.enter(name)
        where = {"HELP": self.help, "TYPE": self.type}.get(word)
        if where is None or name in where or self.counts[name]:
            raise Wrong(f"{word} of {name} is unknown, twice or late")
        if not text.strip() or (word == "HELP" and re.search(r"\\(?![\\n])", text)):
            raise Wrong(f"{word} of {name} is '{text}'")
        where[name] = text

    def name(self, name):
        kind = self.type.get(name)
        if name not in self.help or kind not in TYPES:
            raise Wrong(f"{name} has no help or no type")
        if (kind == "counter") != name.endswith("_total"):
            raise Wrong(f"{name} is a {kind}")
        if WRONG_UNITS.search(name) or WRONG_ENDS.search(name):
            raise Wrong(f"{name} is not how it is called")

    def sample(self, line):
        name = NAME.match(line)
        if not name:
            raise Wrong("no name")
        name, rest, labels = name[0], line[name.end():], []
        self.enter(name)
        self.name(name)
        if rest.startswith("{"):
            rest = rest[1:]
            while not rest.startswith("}"):
                label = LABEL.match(rest)
                if not label:
                    raise Wrong(f"a label of {name}")
                labels.append(label.groups())
                rest = rest[label.end():]
                if rest.startswith(","):
                    rest = rest[1:]
                elif not rest.startswith("}"):
                    raise Wrong(f"the labels of {name}")
            rest = rest[1:]
        if not rest.startswith(" ") or not VALUE.fullmatch(rest[1:]):
            raise Wrong(f"the value of {name}")
        if self.type[name] == "counter" and rest[1:].startswith("-"):
            raise Wrong(f"{name} is negative")
        names = [n for n, _ in labels]
        if len(set(names)) != len(names) or self.labels.setdefault(name, names) != names:
            raise Wrong(f"the names of {name}'s labels")
        key = (name, tuple(sorted(labels)))
        if key in self.seen:
            raise Wrong(f"{name} comes twice")
        self.seen.add(key)
        self.counts[name] += 1

    def read(self, text):
        if not text.endswith("\n"):
            raise Wrong("the last line has no end")
        for n, line in enumerate(text[:-1].split("\n"), 1):
            try:
                self.comment(line) if line.startswith("# ") else self.sample(line)
            except Wrong as e:
                raise Wrong(f"line {n}: {e}") from None
        for name in self.order:
            if not self.counts[name]:
                raise Wrong(f"{name} has no sample")


reader = Reader()
try:
    with open(sys.argv[1], encoding="utf-8", newline="") as f:
        reader.read(f.read())
except (Wrong, UnicodeDecodeError) as e:
    sys.exit(f"{sys.argv[1]}: {e}")
for family in reader.order:
    print(family, reader.type[family], reader.counts[family])
