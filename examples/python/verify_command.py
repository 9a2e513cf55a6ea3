#!/usr/bin/env python3
"""Verifies Interlock's commands with public keys only (docs/agent-protocol.md, "Verification").

    verify_command.py KEYSET ENVIRONMENT AGENT DEPLOYMENT < command.json
    verify_command.py KEYSET ENVIRONMENT AGENT DEPLOYMENT --lines < commands.base64

Prints the command as JSON and ends with 0, or says why it is refused and ends with 1. With --lines each line is one envelope
in base64, and each answer a line: the command, or "refused: ...". Needs nothing but Python 3.8: it uses the `cryptography`
package where there is one, else the 60 lines at the end (RFC 8032). `--own` uses those in any case.
"""

import base64
import hashlib
import json
import re
import sys

MAX_BYTES = 64 * 1024
MAX_DEPTH = 32
PAYLOAD_TYPE = "application/vnd.interlock.command+json"
SPKI_ED25519 = bytes.fromhex("302a300506032b6570032100")
DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)


class Refused(Exception):
    """Why a command is not taken."""


def verify(envelope: bytes, keys: list, environment: str, agent: str, deployment: str, own: bool = False) -> dict:
    """The command in the envelope, after every check of the protocol in its order. Raises Refused."""
    if len(envelope) > MAX_BYTES:
        raise Refused("oversized")
    outer = canonical_value(envelope)
    fields(outer, {"payload": text, "payloadType": text, "signatures": lambda s: isinstance(s, list) and len(s) == 1})
    signature = outer["signatures"][0]
    fields(signature, {"keyid": text, "sig": text})
    payload, sig = only_form_base64(outer["payload"]), only_form_base64(signature["sig"])
    if outer["payloadType"] != PAYLOAD_TYPE:
        raise Refused("wrong payload type")
    key = next((one for one in keys if one["keyId"] == signature["keyid"]), None)
    if key is None:
        raise Refused("unknown key")
    if "governor" not in key["roles"]:
        raise Refused("wrong role")
    spki = base64.b64decode(key["publicKey"], validate=True)
    if hashlib.sha256(spki).hexdigest()[:32] != key["keyId"] or len(spki) != 44 or spki[:12] != SPKI_ED25519:
        raise Refused("no Ed25519 key of that name")
    kind = outer["payloadType"].encode()
    signed = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    if not ed25519(spki[12:], signed, sig, own):
        raise Refused("bad signature")
    command = canonical_value(payload)
    check_command(command)
    for name, mine in (("environment", environment), ("audience", agent), ("deployment", deployment)):
        if command[name] != mine:
            raise Refused("another " + name)
    return command


# ---- shape ----------------------------------------------------------------------------------------------------------


def text(value) -> bool:
    return isinstance(value, str)


def number(value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def whole(value) -> bool:
    return number(value) and value == int(value) and 0 <= value < 2**53


def digest(value) -> bool:
    return isinstance(value, str) and DIGEST.fullmatch(value) is not None


def truth(value) -> bool:
    return isinstance(value, bool)


def fields(value, wanted: dict) -> bool:
    """Exactly these fields, each lawful."""
    if not isinstance(value, dict) or set(value) != set(wanted):
        raise Refused("wrong fields")
    for name, lawful in wanted.items():
        if not lawful(value[name]):
            raise Refused("wrong " + name)
    return True


def desired(value) -> bool:
    return fields(
        value,
        {
            "target": digest,
            "candidate": lambda c: c is None or digest(c),
            "shareMax": lambda s: number(s) and 0 <= s <= 1,
            "shadow": truth,
            "pace": lambda p: p in ("at-once", "steps"),
            "fallback": truth,
        },
    )


def lapse(value) -> bool:
    return fields(value, {"afterMs": whole, "desired": desired})


def grant(value) -> bool:
    steps = lambda s: isinstance(s, list) and all(lapse(one) for one in s)
    return value is None or fields(value, {"ms": whole, "onLapse": steps})


def check_command(value) -> None:
    fields(
        value,
        {
            "v": lambda v: number(v) and v == 1,
            "environment": text,
            "audience": text,
            "deployment": text,
            "issuedAt": whole,
            "order": lambda o: isinstance(o, list) and len(o) == 4 and all(whole(part) for part in o),
            "desired": desired,
            "grant": grant,
            "because": digest,
            "policy": digest,
        },
    )


# ---- bytes ----------------------------------------------------------------------------------------------------------


def only_form_base64(value: str) -> bytes:
    try:
        data = base64.b64decode(value, validate=True)
    except ValueError:
        raise Refused("no base64")
    if base64.b64encode(data).decode() != value:
        raise Refused("base64 in another form")
    return data


def canonical_value(data: bytes):
    """Strict JSON that is its own canonical form (RFC 8785), so that two readers see one value."""

    def once(pairs):
        value = dict(pairs)
        if len(value) != len(pairs) or "__proto__" in value:
            raise Refused("a key twice, or __proto__")
        return value

    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=once, parse_constant=lambda _: 1 / 0)
        if depth(value) > MAX_DEPTH or canonical(value).encode("utf-8") != data:
            raise Refused("not canonical JSON")
    except (ValueError, ArithmeticError, RecursionError):
        raise Refused("malformed")
    return value


def depth(value) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max((depth(one) for one in inner), default=0)


def canonical(value) -> str:
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        return "{" + ",".join(canonical(name) + ":" + canonical(value[name]) for name in names) + "}"
    if isinstance(value, list):
        return "[" + ",".join(canonical(one) for one in value) + "]"
    if number(value):
        return canonical_number(float(value))
    return json.dumps(value, ensure_ascii=False)


def canonical_number(value: float) -> str:
    """As ECMAScript writes it: the shortest digits, which are Python's too, in another frame."""
    if value == 0:
        return "0"
    if value < 0:
        return "-" + canonical_number(-value)
    mantissa, exponent = ("%r" % value).lower().split("e") if "e" in "%r" % value else ("%r" % value, "0")
    whole_part, _, fraction = mantissa.partition(".")
    digits = (whole_part + ("" if fraction == "0" else fraction)).lstrip("0")
    point = len(whole_part) + int(exponent)
    if whole_part == "0":
        point -= len(fraction) - len(fraction.lstrip("0")) + 1
    digits = digits.rstrip("0")
    count = len(digits)
    if count <= point <= 21:
        return digits + "0" * (point - count)
    if 0 < point <= 21:
        return digits[:point] + "." + digits[point:]
    if -6 < point <= 0:
        return "0." + "0" * -point + digits
    power = point - 1
    shown = digits[0] + ("." + digits[1:] if count > 1 else "")
    return shown + "e" + ("+" if power > 0 else "-") + str(abs(power))


# ---- Ed25519 --------------------------------------------------------------------------------------------------------


def ed25519(public: bytes, message: bytes, signature: bytes, own: bool) -> bool:
    if not own:
        try:
            from cryptography.exceptions import InvalidSignature
            from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        except ImportError:
            return own_ed25519(public, message, signature)
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
            return True
        except (InvalidSignature, ValueError):
            return False
    return own_ed25519(public, message, signature)


P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def own_ed25519(public: bytes, message: bytes, signature: bytes) -> bool:
    """RFC 8032 section 5.1.7, without the cofactor: R must be the encoding of S*B - h*A. Slow, and no secret is at stake."""
    if len(public) != 32 or len(signature) != 64:
        return False
    point = decoded(public)
    s = int.from_bytes(signature[32:], "little")
    if point is None or s >= L:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    x, y, z, t = point
    return encoded(add(times(s, BASE), times(h, (P - x, y, z, P - t)))) == signature[:32]


def add(one, other):
    a = (one[1] - one[0]) * (other[1] - other[0]) % P
    b = (one[1] + one[0]) * (other[1] + other[0]) % P
    c = 2 * one[3] * other[3] * D % P
    d = 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def times(scalar: int, point):
    result = (0, 1, 1, 0)
    while scalar > 0:
        if scalar & 1:
            result = add(result, point)
        point = add(point, point)
        scalar >>= 1
    return result


def encoded(point) -> bytes:
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def decoded(data: bytes):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P != 0:
        x = x * ROOT % P
    if (x * x - square) % P != 0 or (x == 0 and sign == 1):
        return None
    x = P - x if x & 1 != sign else x
    return (x, y, 1, x * y % P)


BASE = decoded((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def main(words) -> int:
    own, lines = "--own" in words, "--lines" in words
    words = [word for word in words if not word.startswith("--")]
    if len(words) != 4:
        print(__doc__, file=sys.stderr)
        return 2
    with open(words[0], encoding="utf-8") as file:
        keys = json.load(file)["keys"]
    data = sys.stdin.buffer.read()
    refused = 0
    for one in [base64.b64decode(line) for line in data.split(b"\n")] if lines else [data]:
        try:
            print(json.dumps(verify(one, keys, words[1], words[2], words[3], own)))
        except Refused as reason:
            refused += 1
            print("refused:", reason)
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
