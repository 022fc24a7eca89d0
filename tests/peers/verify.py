#!/usr/bin/env python3
"""Verifies a signed document of a gateway with code that is not ours.

    python3 tests/peers/verify.py http://lyon.localhost:8080/contributions/KEY
    python3 tests/peers/verify.py --actor federation-specs/examples/PublicAuthority.json federation-specs/examples/Contribution.json

The document and its authority's actor are fetched (or read from files). Checked are: the proof is an
eddsa-jcs-2022 DataIntegrityProof for assertionMethod; its key is listed by the actor that the document names as its
author; the actor's own proof holds, when there is one; the signature holds over the canonical form (RFC 8785); and it
no longer holds when one byte of one text is flipped. JCS, base58 and Ed25519 come from PyPI (requirements.txt).

Exit code 0: verified, and the flipped copy was refused. 1: something does not hold. 2: wrong call, or not readable.
"""

import argparse
import copy
import hashlib
import json
import pathlib
import socket
import sys
import urllib.error
import urllib.parse
import urllib.request

import base58
import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ACCEPT = 'application/activity+json, application/ld+json; profile="https://www.w3.org/ns/activitystreams"'


class Unreadable(Exception):
    """Nothing could be read."""


class Refused(Exception):
    """It was read, and it does not hold."""


def read(where):
    """The JSON document at an address or in a file."""
    if not where.startswith(("http://", "https://")):
        try:
            return json.loads(pathlib.Path(where).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise Unreadable(f"{where}: {error}") from error
    request = urllib.request.Request(where, headers={"Accept": ACCEPT, "User-Agent": "passerelle-verify-peer/1"})
    try:
        with urllib.request.urlopen(request, timeout=15) as answer:
            return json.loads(answer.read(2**20 + 1))
    except urllib.error.HTTPError as error:
        if error.code == 410:  # a tombstone is the body of a 410
            return json.loads(error.read())
        raise Unreadable(f"{where}: HTTP {error.code}") from error
    except (OSError, ValueError) as error:
        raise Unreadable(f"{where}: {error}") from error


def localhost_is_here():
    """`*.localhost` is this machine (RFC 6761), whatever the resolver thinks."""
    original = socket.getaddrinfo

    def getaddrinfo(host, *rest, **more):
        local = isinstance(host, str) and host.rstrip(".").endswith(".localhost")
        return original("127.0.0.1" if local else host, *rest, **more)

    socket.getaddrinfo = getaddrinfo


def key_of(actor, name):
    """The Ed25519 key that the actor lists under `name` and controls itself."""
    methods = actor.get("assertionMethod", [])
    for method in methods if isinstance(methods, list) else [methods]:
        if not isinstance(method, dict) or method.get("id") != name:
            continue
        if method.get("type") != "Multikey" or method.get("controller") != actor.get("id"):
            raise Refused(f"{name} is not a Multikey of its actor")
        text = method.get("publicKeyMultibase", "")
        if not text.startswith("z"):
            raise Refused(f"{name} is not written in base58btc")
        raw = base58.b58decode(text[1:])
        if len(raw) != 34 or raw[:2] != b"\xed\x01":
            raise Refused(f"{name} is not an Ed25519 key")
        return Ed25519PublicKey.from_public_bytes(raw[2:])
    raise Refused(f"the actor lists no key {name}")


def check(document, actor):
    """Raises Refused unless the proof of `document` holds under a key of `actor`."""
    proof = document.get("proof")
    if not isinstance(proof, dict):
        raise Refused("there is no single proof")
    for name, wanted in (("type", "DataIntegrityProof"), ("cryptosuite", "eddsa-jcs-2022"), ("proofPurpose", "assertionMethod")):
        if proof.get(name) != wanted:
            raise Refused(f"the proof's {name} is not {wanted}")
    bare = {name: value for name, value in document.items() if name != "proof"}
    if "@context" in proof:
        begins = bare.get("@context", [])[: len(proof["@context"])]
        if begins != proof["@context"]:
            raise Refused("the proof's @context is not how the document's begins")
        bare["@context"] = proof["@context"]
    options = {name: value for name, value in proof.items() if name != "proofValue"}
    digest = hashlib.sha256(rfc8785.dumps(options)).digest() + hashlib.sha256(rfc8785.dumps(bare)).digest()
    value = proof.get("proofValue", "")
    if not value.startswith("z"):
        raise Refused("the proofValue is not written in base58btc")
    try:
        key_of(actor, proof.get("verificationMethod")).verify(base58.b58decode(value[1:]), digest)
    except InvalidSignature:
        raise Refused("the signature does not hold") from None


def texts(node, path=()):
    """The path of every text below `node`, the proof and the addresses that lead to the key excepted."""
    if isinstance(node, dict):
        for name, value in node.items():
            if not (path == () and name in ("proof", "@context")):
                yield from texts(value, (*path, name))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from texts(value, (*path, index))
    elif isinstance(node, str) and node:
        yield path


def flipped(document, path):
    """The document with the lowest bit of the last character of one text turned over."""
    document = copy.deepcopy(document)
    node = document
    for step in path[:-1]:
        node = node[step]
    text = node[path[-1]]
    node[path[-1]] = text[:-1] + chr(ord(text[-1]) ^ 1)
    return document


def digest_of(document):
    """What `previousDigest` and `subjectDigest` repeat."""
    bare = {name: value for name, value in document.items() if name != "proof"}
    return "z" + base58.b58encode(b"\x12\x20" + hashlib.sha256(rfc8785.dumps(bare)).digest()).decode()


def verify(document, actor_from):
    """Verifies one document; returns a sentence about it."""
    owner = document.get("attributedTo", document.get("id"))
    if not isinstance(owner, str):
        raise Refused("the document does not name exactly one author")
    actor = document if document.get("id") == owner else read(actor_from or owner)
    if actor.get("id") != owner:
        raise Refused(f"the actor that was read is {actor.get('id')}, the document names {owner}")
    if urllib.parse.urlsplit(owner)[:2] != urllib.parse.urlsplit(document.get("id", ""))[:2]:
        raise Refused("the document does not live where its author does")
    if actor is not document and "proof" in actor:
        check(actor, actor)
    check(document, actor)
    places = list(texts(document))
    for path in places:
        try:
            check(flipped(document, path), actor)
        except Refused:
            continue
        raise Refused(f"one flipped byte in {'.'.join(map(str, path))} goes unnoticed")
    what = document.get("recordType", document.get("type"))
    return f"{what} {document.get('id')} revision {document.get('revision', '-')} {digest_of(document)}; {len(places)} flipped copies refused"


def main():
    parser = argparse.ArgumentParser(description="Verify signed documents of a gateway with code that is not ours.")
    parser.add_argument("documents", nargs="+", metavar="ADDRESS_OR_FILE")
    parser.add_argument("--actor", metavar="ADDRESS_OR_FILE", help="where to read the actor, instead of the address the document names")
    arguments = parser.parse_args()
    localhost_is_here()
    worst = 0
    for where in arguments.documents:
        try:
            print("ok  ", verify(read(where), arguments.actor))
        except Refused as problem:
            print(f"FAIL {where}: {problem}", file=sys.stderr)
            worst = max(worst, 1)
        except Unreadable as problem:
            print(f"FAIL {problem}", file=sys.stderr)
            worst = 2
    return worst


if __name__ == "__main__":
    sys.exit(main())
