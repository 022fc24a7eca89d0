#!/usr/bin/env python3
"""Reads our JSON with a JSON-LD 1.1 processor that is not ours: what we write must mean something there.

    python3 tests/peers/expand.py [FILE ...]        (default: every example of federation-specs)

For each document: no property vanishes in expansion, no value of an enumeration stays a plain word, no
property lands in a blank namespace. Needs PyLD (requirements.txt). No network: contexts come from
tests/fixtures/contexts, ours from federation-specs/context.jsonld. Exit code 0: all well; 1: something is not;
2: wrong call.
"""

import copy
import json
import pathlib
import sys

from pyld import jsonld

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONTEXTS = {
    "https://www.w3.org/ns/activitystreams": "tests/fixtures/contexts/activitystreams.jsonld",
    "https://w3id.org/security/v1": "tests/fixtures/contexts/security-v1.jsonld",
    "https://w3id.org/security/data-integrity/v2": "tests/fixtures/contexts/data-integrity-v2.jsonld",
    "https://w3id.org/security/multikey/v1": "tests/fixtures/contexts/multikey-v1.jsonld",
    "https://www.w3.org/ns/did/v1": "tests/fixtures/contexts/did-v1.jsonld",
}


def is_document(term, iri):
    """Where a class of the vocabulary is named: Document is the one of ActivityStreams, all others are ours."""
    return term in ("recordType", "classes") and iri == "https://www.w3.org/ns/activitystreams#Document"


def load(url, options=None):
    path = CONTEXTS.get(url) or ("federation-specs/context.jsonld" if url.endswith("/ns/v1") else None)
    if path is None:
        raise RuntimeError(f"no context is kept for {url}")
    document = json.loads((ROOT / path).read_text())
    return {"contentType": "application/ld+json", "contextUrl": None, "documentUrl": url, "document": document}


def expand(document):
    return jsonld.expand(document, {"documentLoader": load, "base": document.get("id")})


def properties(node, path=()):
    """The path of every property below `node`, maps of languages excepted."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name in ("@context", "type", "id"):
                continue
            yield (*path, name)
            if not name.endswith("Map") and name not in ("proof", "prefLabel"):
                yield from properties(value, (*path, name))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from properties(value, (*path, index))


def without(document, path):
    """The document without one property, and without the map or the plain form that says the same."""
    document = copy.deepcopy(document)
    node = document
    for step in path[:-1]:
        node = node[step]
    name = path[-1]
    for same in {name, name.removesuffix("Map"), name + "Map"}:
        node.pop(same, None)
    return document


def enumerations():
    context = json.loads((ROOT / "federation-specs/context.jsonld").read_text())["@context"]
    vocab = {term: entry for term, entry in context.items() if isinstance(entry, dict) and entry.get("@type") == "@vocab"}
    return {entry["@id"].replace("pv:", context["pv"]): term for term, entry in vocab.items()}


def literals(node, words):
    if isinstance(node, dict):
        for name, values in node.items():
            if name.startswith("_:"):
                yield f"{name} is in a blank namespace"
            if name in words:
                for value in values:
                    iri = value.get("@id", "") if isinstance(value, dict) else ""
                    if ":" not in iri:
                        yield f"{words[name]} stays a plain word: {value}"
                    elif iri.startswith("https://www.w3.org/ns/activitystreams#") and not is_document(words[name], iri):
                        yield f"{words[name]} is taken for a term of ActivityStreams: {iri}"
            yield from literals(values, words)
    elif isinstance(node, list):
        for value in node:
            yield from literals(value, words)


def check(path):
    document = json.loads(path.read_text())
    whole = expand(document)
    problems = list(literals(whole, enumerations()))
    for place in properties(document):
        if place[-1] == "result" or "result" in place or (document["type"] in ("Create", "Update", "Delete", "Undo") and len(place) > 1):
            continue  # what an activity carries is checked by itself
        if expand(without(document, place)) == whole:
            problems.append(f"{'.'.join(map(str, place))} vanishes in expansion")
    return problems


def main():
    files = [pathlib.Path(name) for name in sys.argv[1:]] or sorted((ROOT / "federation-specs/examples").glob("*.json"))
    if not files:
        print("no documents to read", file=sys.stderr)
        return 2
    failed = 0
    for path in files:
        problems = check(path)
        print(f"{'FAIL' if problems else 'ok  '} {path.name}")
        for problem in problems:
            failed += 1
            print(f"     {problem}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
