"""A list of calls, a line of JSON each, in the working folder."""

import json


def note(*call: object) -> None:
    """Add a call to calls.jsonl."""
    with open("calls.jsonl", "a", encoding="utf-8") as file:
        file.write(json.dumps(call) + "\n")
