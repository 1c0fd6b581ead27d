#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# noise_vectors.py - Noise handshakes a second time, in Python
#
# Written from the framework's text (revision 34), not from noise.c, on top of
# python3-cryptography and hashlib instead of libsodium. Prints what
# noise_vectors.json has: for every protocol both sides' keys, all messages
# of the handshake and two after it. tests/unit/test_noise_protocol.c reads
# that, and runs this again where it can. cable_peer.py uses it, too.
import hashlib
import hmac
import json

from cryptography.hazmat.primitives.asymmetric import x25519
from cryptography.hazmat.primitives.ciphers import aead
from cryptography.hazmat.primitives import serialization as form

PATTERNS = {
    "NN": ("", ["e", "e ee"]),
    "IK": ("s", ["e es s ss", "e ee se"]),
    "XX": ("", ["e", "e ee s es", "s se"]),
    "NNpsk0": ("", ["psk e", "e ee"]),
    "IKpsk2": ("s", ["e es s ss", "e ee se psk"]),
    "XXpsk3": ("", ["e", "e ee s es", "s se psk"]),
}
HASHES = {"BLAKE2b": hashlib.blake2b, "SHA256": hashlib.sha256,
          "SHA512": hashlib.sha512}


def public(private):
    key = x25519.X25519PrivateKey.from_private_bytes(private)
    return key.public_key().public_bytes(form.Encoding.Raw,
                                         form.PublicFormat.Raw)


def dh(private, pub):
    key = x25519.X25519PrivateKey.from_private_bytes(private)
    return key.exchange(x25519.X25519PublicKey.from_public_bytes(pub))


class Cipher:
    def __init__(self, name, key):
        self.key, self.n = key, 0
        self.aes = name == "AESGCM"

    def seal(self, ad, text):
        order = "big" if self.aes else "little"
        nonce = bytes(4) + self.n.to_bytes(8, order)
        kind = aead.AESGCM if self.aes else aead.ChaCha20Poly1305
        self.n += 1
        return kind(self.key).encrypt(nonce, text, ad)


class Side:
    def __init__(self, name, first, prologue, keys):
        _, pattern, _, self.cname, hname = name.split("_")
        self.pre, self.rows = PATTERNS[pattern]
        self.hash = HASHES[hname]
        self.psk_mode = "psk" in pattern
        self.first, self.keys = first, keys
        label = name.encode()
        size = self.hash().digest_size
        self.h = (label.ljust(size, b"\0") if len(label) <= size
                  else self.hash(label).digest())
        self.ck = self.h
        self.cipher = None
        self.mix_hash(prologue)
        if self.pre:
            self.mix_hash(keys["rs"] if first else public(keys["s"]))

    def mix_hash(self, data):
        self.h = self.hash(self.h + data).digest()

    def expand(self, material, n):
        def mac(key, data):
            return hmac.new(key, data, self.hash).digest()
        temp, out = mac(self.ck, material), [b""]
        for i in range(n):
            out.append(mac(temp, out[-1] + bytes([i + 1])))
        return out[1:]

    def mix_key(self, material):
        self.ck, key = self.expand(material, 2)
        self.cipher = Cipher(self.cname, key[:32])

    def seal(self, text):
        out = self.cipher.seal(self.h, text) if self.cipher else text
        self.mix_hash(out)
        return out

    def write(self, row, payload):
        """One message; who writes knows everything of the other side."""
        k, out = self.keys, b""
        for token in self.rows[row].split():
            if token == "e":
                out += public(k["e"])
                self.mix_hash(public(k["e"]))
                if self.psk_mode:
                    self.mix_key(public(k["e"]))
            elif token == "s":
                out += self.seal(public(k["s"]))
            elif token == "psk":
                self.ck, temp, key = self.expand(k["psk"], 3)
                self.mix_hash(temp)
                self.cipher = Cipher(self.cname, key[:32])
            else:
                mine, theirs = token if self.first else token[::-1]
                self.mix_key(dh(k[mine], k["r" + theirs]))
        return out + self.seal(payload)

    def take(self, other):
        """After the other side's message both have the same secrets."""
        self.h, self.ck, self.cipher = other.h, other.ck, other.cipher

    def split(self):
        return [Cipher(self.cname, k[:32]) for k in self.expand(b"", 2)]


def secret(*what):
    return hashlib.sha256("/".join(what).encode()).digest()


def vector(name):
    pattern = name.split("_")[1]
    static = pattern[0] != "N"
    si, sr, ei, er, psk = (secret(name, w) for w in
                           ("si", "sr", "ei", "er", "psk"))
    prologue = secret(name, "prologue")[:len(name) % 5 * 5]
    a = Side(name, True, prologue, {"s": si, "e": ei, "rs": public(sr),
                                    "re": public(er), "psk": psk})
    b = Side(name, False, prologue, {"s": sr, "e": er, "rs": public(si),
                                     "re": public(ei), "psk": psk})
    v = {"protocol_name": name, "init_prologue": prologue.hex(),
         "init_ephemeral": ei.hex(), "resp_prologue": prologue.hex(),
         "resp_ephemeral": er.hex()}
    if static:
        v |= {"init_static": si.hex(), "resp_static": sr.hex()}
    if pattern.startswith("IK"):
        v["init_remote_static"] = public(sr).hex()
    if "psk" in pattern:
        v |= {"init_psks": [psk.hex()], "resp_psks": [psk.hex()]}
    messages = []
    rows = len(a.rows)
    for i in range(rows + 2):
        payload = secret(name, str(i))[:(i * 9 + len(name)) % 33]
        if i < rows:
            writer, reader = (a, b) if i % 2 == 0 else (b, a)
            text = writer.write(i, payload)
            reader.take(writer)
        else:
            if i == rows:
                v["handshake_hash"] = a.h.hex()
                ciphers = a.split()
            text = ciphers[i % 2].seal(b"", payload)
        messages.append({"payload": payload.hex(), "ciphertext": text.hex()})
    return v | {"messages": messages}


if __name__ == "__main__":
    print(json.dumps({"vectors": [
        vector(f"Noise_{p}_25519_{c}_{h}") for p in PATTERNS
        for c in ("ChaChaPoly", "AESGCM") for h in HASHES]}, indent=0))
