"""The numbers that a report's page shows, section by section."""

import re
from html.parser import HTMLParser

NUMBER = re.compile(r"[-+\N{MINUS SIGN}]?\d(?:[\d,.]*\d)?")
VOID = {"meta", "br", "hr", "img", "link", "input", "path", "use", "rect", "stop"}


class Numbers(HTMLParser):
    """Collects the numbers of each section and each figure, and of the page's head."""

    def __init__(self, hidden=()):
        super().__init__()
        self.hidden, self.open, self.words = set(hidden), [], {}

    def handle_starttag(self, tag, attributes):
        if tag not in VOID:
            attributes = dict(attributes)
            classes = set((attributes.get("class") or "").split())
            part = attributes.get("id") if tag in ("section", "figure") else None
            silent = tag in ("style", "title", "nav") or bool(classes & self.hidden)
            self.open.append((tag, part, silent))

    def handle_endtag(self, tag):
        if tag not in VOID:
            while self.open.pop()[0] != tag:
                pass

    def handle_data(self, data):
        if not any(silent for *_, silent in self.open):
            part = next((part for _, part, _ in reversed(self.open) if part), "head")
            self.words.setdefault(part, []).append(data)


def numbers(text, hidden=()):
    """{id of a section or figure: its numbers in the order of the page}; what stands in elements
    of the classes `hidden` is left out."""
    reader = Numbers(hidden)
    reader.feed(text)
    reader.close()
    return {part: NUMBER.findall(" ".join(words)) for part, words in reader.words.items()}
