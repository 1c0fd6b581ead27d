#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# cable_peer.py CIPHER INIT [DATA]... - the called side of an encrypted cable
#
# Written from doc/protocol-cryptcab.md alone, on noise_vectors.py, for keys
# that tests/unit/test_tunnel.c knows. Takes messages in hexadecimal and prints
# what it would say: RESPONSE, a DATA with a frame, then the frame inside of
# each DATA that it was given. Fails if anything is not as the document says.
import hashlib
import sys

from cryptography.hazmat.primitives.ciphers import aead
from noise_vectors import Side, dh, public

PRIVATE, EPHEMERAL = bytes([0x41]) * 32, bytes([0x77]) * 32
PSK = bytes([1, 2, 3, 4]) + bytes(28)
INDEX = 0xA1B2C3D4
CIPHERS = [("little", aead.ChaCha20Poly1305), ("big", aead.AESGCM)]


def mac(key, data):
    return hashlib.blake2b(data, key=key, digest_size=16).digest()


def mac1(pub, data):
    label = b"vde_cryptcab mac1" + pub
    return mac(hashlib.blake2b(label, digest_size=32).digest(), data)


def run(cipher, way, key, n, ad, text):
    order, kind = CIPHERS[cipher]
    nonce = bytes(4) + n.to_bytes(8, order)
    return getattr(kind(key), way)(nonce, text, ad)


class Called(Side):
    def open(self, text):
        out = run(0, "decrypt", self.cipher.key, self.cipher.n, self.h, text)
        self.cipher.n += 1
        self.mix_hash(text)
        return out

    def read_init(self, msg):
        k = self.keys
        k["re"] = msg[:32]
        self.mix_hash(msg[:32])
        self.mix_key(msg[:32])
        self.mix_key(dh(k["s"], k["re"]))
        k["rs"] = self.open(msg[32:80])
        self.mix_key(dh(k["s"], k["rs"]))
        return self.open(msg[80:])


def number(p):
    return int.from_bytes(p, "big")


def main(cipher, init, *data):
    assert len(init) == 168 and init[:4] == bytes([0x81, 1, 0, 0])
    assert init[136:152] == mac1(public(PRIVATE), init[:136])
    assert init[152:] == bytes(16)
    side = Called("Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b", False,
                  b"vde_cryptcab" + init[:8],
                  {"s": PRIVATE, "e": EPHEMERAL, "psk": PSK})
    payload = side.read_init(init[8:136])
    assert len(payload) == 32 and number(payload[8:12]) >> cipher & 1
    assert number(payload[:8]) > 1600000000 * 10**9 and not any(payload[12:])

    answer = bytes(8) + bytes([0, cipher, 0, 0]) + INDEX.to_bytes(4, "big")
    head = bytes([0x82, 1, 0, 0]) + INDEX.to_bytes(4, "big") + init[4:8]
    msg = head + side.write(1, answer + bytes(16))
    msg += mac1(side.keys["rs"], msg) + bytes(16)
    assert len(msg) == 124
    print(msg.hex())

    rx, tx = (c.key for c in side.split())
    frame = bytes(range(100))
    head = bytes([0x84, 0, 0, 0]) + init[4:8] + (5).to_bytes(8, "big")
    text = bytes([1, 0xB8, 0, 100]) + frame + bytes(9)
    print((head + run(cipher, "encrypt", tx, 5, head, text)).hex())

    for d in data:
        assert d[:4] == bytes([0x84, 0, 0, 0]) and number(d[4:8]) == INDEX
        text = run(cipher, "decrypt", rx, number(d[8:16]), d[:16], d[16:])
        assert text[0] == 1
        print(text[4:4 + number(text[2:4])].hex())


main(int(sys.argv[1]), *(bytes.fromhex(a) for a in sys.argv[2:]))
