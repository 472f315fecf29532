"""A new information system that asks for a person's data in JSON, with Python's own library alone.

    python -m examples.clients.json_client ADDRESS PINFL

ADDRESS is the service's, `…/json/INSTANCE/CLASS/CODE/SUBSYSTEM/SERVICE/VERSION`. Opened in a browser, it says what
there is to call. Prints the reply, or what is wrong and who has to act; exits with 1 then.
"""

from __future__ import annotations

import argparse
import json
import sys
import urllib.error
import urllib.request
from typing import Any


def call(address: str, operation: str, document: dict[str, Any], *, language: str = "en") -> tuple[int, dict[str, Any]]:
    """Post one call; the HTTP status and what came back, a reply or a problem document."""
    request = urllib.request.Request(  # noqa: S310  the address is the operator's own
        f"{address.rstrip('/')}/{operation}",
        data=json.dumps(document).encode(),
        headers={"Content-Type": "application/json", "Accept-Language": language},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
            return response.status, json.load(response)
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)


def main() -> int:
    """Ask about one person."""
    parser = argparse.ArgumentParser(description="Ask for a person's data in JSON.")
    parser.add_argument("address")
    parser.add_argument("pinfl")
    parser.add_argument("--official", default="clerk-1")
    parser.add_argument("--purpose", default="social-benefit")
    parser.add_argument("--basis", default="Law No. 395 of 2015, article 12")
    parser.add_argument("--language", default="en")
    asked = parser.parse_args()
    document = {
        "context": {
            "official": asked.official,
            "purpose": asked.purpose,
            "legalBasis": {"kind": "law", "reference": asked.basis},
            "subjects": [{"kind": "pinfl", "value": asked.pinfl}],
        },
        "body": {"Pinfl": asked.pinfl},
    }
    status, answer = call(asked.address, "GetPerson", document, language=asked.language)
    if status == 200:
        print(json.dumps(answer["body"], ensure_ascii=False, indent=2))
        return 0
    print(f"{answer['code']}: {answer['title']} ({answer['blame']}; retry: {answer['retry']})", file=sys.stderr)
    for problem in answer.get("problems", ()):
        print(f"  {problem.get('pointer', '')} {problem['detail']}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
